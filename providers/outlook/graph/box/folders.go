package box

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// folderSize asks for PidTagMessageSizeExtended, the bytes of what is in a folder
// (learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get: mailFolder has
// extended properties).
const folderSize = "singleValueExtendedProperties($filter=id eq 'Long 0x0E08')"

// Folders gives the folders of a mailbox, those above before those below them: mail, then
// contacts, then calendars, as far as they are wished for.
func (b *Box) Folders(ctx context.Context, mailbox string, wish outlook.Wish) ([]outlook.Folder, error) {
	var all []outlook.Folder
	for _, k := range []struct {
		kind outlook.Kind
		list func(context.Context, string, outlook.Wish) ([]outlook.Folder, error)
	}{{outlook.Mail, b.mailFolders}, {outlook.Contacts, b.contactFolders}, {outlook.Calendar, b.calendars}} {
		if !slices.Contains(wish.Kinds, k.kind) {
			continue
		}
		some, err := k.list(ctx, mailbox, wish)
		if err != nil {
			return nil, fmt.Errorf("list the folders of %s in %s: %w", k.kind, mailbox, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// mailFolder is the JSON of one.
type mailFolder struct {
	Type     string     `json:"@odata.type"`
	ID       string     `json:"id"`
	Name     string     `json:"displayName"`
	Parent   string     `json:"parentFolderId"`
	Children int        `json:"childFolderCount"`
	Items    int64      `json:"totalItemCount"`
	Hidden   bool       `json:"isHidden"`
	Extended []property `json:"singleValueExtendedProperties"`
}

func (f mailFolder) search() bool { return strings.HasSuffix(f.Type, ".mailSearchFolder") }

// tree collects folders, each once.
type tree struct {
	known map[string]string // well-known names by id
	seen  map[string]bool
	all   []outlook.Folder
}

// add takes a folder in below another one; nil: at the top. It gives nil for one that was
// there.
func (t *tree) add(f mailFolder, above *outlook.Folder, recoverable bool) *outlook.Folder {
	if f.ID == "" || t.seen[f.ID] || f.search() {
		return nil
	}
	t.seen[f.ID] = true
	out := outlook.Folder{ID: f.ID, Kind: outlook.Mail, Path: []string{f.Name}, WellKnown: t.known[f.ID], Hidden: f.Hidden, Recoverable: recoverable, Items: f.Items, Bytes: bytesOf(f.Extended)}
	if above != nil {
		out.Parent, out.Path = above.ID, append(slices.Clone(above.Path), f.Name)
	}
	t.all = append(t.all, out)
	return &out
}

func bytesOf(extended []property) int64 {
	n := int64(0)
	for _, p := range extended {
		if isSize(p.ID) {
			_, _ = fmt.Sscan(p.Value, &n) // a size that is no number is none
		}
	}
	return n
}

func (b *Box) mailFolders(ctx context.Context, mailbox string, wish outlook.Wish) ([]outlook.Folder, error) {
	known, err := b.wellKnown(ctx, mailbox, wish.Recoverable)
	if err != nil {
		return nil, err
	}
	t := &tree{known: map[string]string{}, seen: map[string]bool{}}
	for label, f := range known {
		t.known[f.ID] = label
	}
	if root, ok := known["msgfolderroot"]; ok && root.Items > 0 { // a place where programs put things, and nobody looks
		t.add(root, nil, false)
	}
	top, err := b.list(ctx, mailbox, mailList(of(mailbox, "mailFolders"), wish.Hidden))
	if err != nil {
		return nil, err
	}
	var level []outlook.Folder
	for _, f := range top {
		level = grown(level, f, t.add(f, nil, false), wish.Hidden)
	}
	if err := b.descend(ctx, mailbox, t, level, wish.Hidden, false); err != nil || !wish.Recoverable {
		return t.all, err
	}
	return t.all, b.recoverable(ctx, mailbox, t, known)
}

// recoverable adds what was deleted from "Deleted Items": all below its root, and those that
// have names of their own where the root cannot be listed.
func (b *Box) recoverable(ctx context.Context, mailbox string, t *tree, known map[string]mailFolder) error {
	var level []outlook.Folder
	if root, ok := known["recoverableitemsroot"]; ok {
		level = grown(level, root, t.add(root, nil, true), true)
	}
	if err := b.descend(ctx, mailbox, t, level, true, true); err != nil {
		return err
	}
	level = nil
	for _, label := range recoverableNames {
		if f, ok := known[label]; ok {
			level = grown(level, f, t.add(f, nil, true), true)
		}
	}
	return b.descend(ctx, mailbox, t, level, true, true)
}

// grown adds a folder to those whose children are listed next. Hidden children may not be
// in the count of them.
func grown(level []outlook.Folder, f mailFolder, added *outlook.Folder, hidden bool) []outlook.Folder {
	if added == nil || f.Children == 0 && !hidden {
		return level
	}
	return append(level, *added)
}

// descend lists what is below folders, level by level, many in one call.
func (b *Box) descend(ctx context.Context, mailbox string, t *tree, level []outlook.Folder, hidden, recoverable bool) error {
	for len(level) > 0 {
		var next []outlook.Folder
		for some := range slices.Chunk(level, graph.MostBatch) {
			urls := make([]string, len(some))
			for i, x := range some {
				urls[i] = mailList(of(mailbox, "mailFolders", x.ID, "childFolders"), hidden)
			}
			lists, err := b.lists(ctx, mailbox, urls)
			if err != nil {
				return err
			}
			for i, children := range lists {
				for _, f := range children {
					next = grown(next, f, t.add(f, &some[i], recoverable), hidden)
				}
			}
		}
		level = next
	}
	return nil
}

func mailList(path string, hidden bool) string {
	options := []string{"$top", "100", "$expand", folderSize}
	if hidden {
		options = append(options, "includeHiddenFolders", "true")
	}
	return with(path, options...)
}

// list reads a list of folders to its end.
func (b *Box) list(ctx context.Context, mailbox, first string) ([]mailFolder, error) {
	var all []mailFolder
	for page, err := range b.client.Pages(ctx, mailbox, first) {
		if err != nil {
			return nil, err
		}
		for _, raw := range page.Items {
			var f mailFolder
			if err := json.Unmarshal(raw, &f); err != nil {
				return nil, fmt.Errorf("a folder cannot be read: %w", err)
			}
			if f.ID == "" {
				return nil, errNameless
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// lists reads several. A folder that has gone meanwhile has nothing below it.
func (b *Box) lists(ctx context.Context, mailbox string, urls []string) ([][]mailFolder, error) {
	calls := make([]graph.Request, len(urls))
	for i, u := range urls {
		calls[i].URL = u
	}
	all := make([][]mailFolder, len(urls))
	answers, err := b.client.Batch(ctx, mailbox, calls)
	if errors.Is(err, graph.ErrTooLarge) {
		answers, err = make([]graph.Answer, len(urls)), nil
	}
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		var page folderPage
		switch {
		case gone(a.Err):
			continue
		case a.Err != nil:
			return nil, a.Err
		case a.Body == nil:
			page.Next = urls[i]
		default:
			if page, err = readFolders(a.Body); err != nil {
				return nil, err
			}
		}
		all[i] = page.Value
		if page.Next == "" {
			continue
		}
		rest, err := b.list(ctx, mailbox, page.Next)
		if err != nil && !gone(err) {
			return nil, err
		}
		all[i] = append(all[i], rest...)
	}
	return all, nil
}

// errNameless: a folder that cannot be asked for would be missing, and nobody would know.
var errNameless = errors.New("a folder has no id")

// folderPage is a page of a list of folders.
type folderPage struct {
	Value []mailFolder `json:"value"`
	Next  string       `json:"@odata.nextLink"`
}

// readFolders reads one. An answer without a list is none that says that there are no
// folders.
func readFolders(data []byte) (folderPage, error) {
	var page folderPage
	if err := json.Unmarshal(data, &page); err != nil {
		return page, fmt.Errorf("a list of folders cannot be read: %w", err)
	}
	if page.Value == nil {
		return page, errors.New("a list of folders has no list in it")
	}
	if slices.ContainsFunc(page.Value, func(f mailFolder) bool { return f.ID == "" }) {
		return page, errNameless
	}
	return page, nil
}

package putback

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// markID is the named property with the mark. Its set is Keepwatch's own. The name is
// compared with regard to case, the value without
// (learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get).
const markID = "String {5b0d6c1e-7f0a-4f6e-9d0b-6b1f4a2c8e35} Name keepwatch"

// mostMark is how long a value may be: Exchange cuts texts in lists at 255 characters.
const mostMark = 255

// What a mark says of the parts of an item beside the number of attachments that it is to
// have.
const (
	whole = "0" // it was whole when it was made
	parts = "-" // it is whole once the mark says so
)

// property is an extended property as Graph has it.
type property struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// found is an item that has a mark.
type found struct {
	ID     string     `json:"id"`
	Values []property `json:"singleValueExtendedProperties"`

	mark  outlook.Mark
	parts string
}

// marked is the property: the run, the item, and what it takes to be whole.
func (t target) marked(parts string) property {
	return property{markID, prefix(t.mark) + parts}
}

func prefix(m outlook.Mark) string {
	return strconv.FormatInt(m.Run, 10) + "/" + m.Item + "/" + m.State + "/"
}

func (t target) check() error {
	if len(prefix(t.mark)) > mostMark-8 || t.mark.Item == "" || strings.Contains(t.mark.State, "/") {
		return keepwatch.Errorf(keepwatch.KindInternal, "An item with the id %q cannot be marked.", t.mark.Item)
	}
	return nil
}

// read takes the mark apart; ids may hold any characters.
func (f *found) read() bool {
	for _, p := range f.Values {
		if !strings.EqualFold(p.ID, markID) {
			continue
		}
		run, rest, ok := strings.Cut(p.Value, "/")
		end := strings.LastIndexByte(rest, '/')
		at := strings.LastIndexByte(rest[:max(end, 0)], '/')
		n, err := strconv.ParseInt(run, 10, 64)
		if ok && at > 0 && err == nil {
			f.mark, f.parts = outlook.Mark{Run: n, Item: rest[:at], State: rest[at+1 : end]}, rest[end+1:]
			return true
		}
	}
	return false
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// beginning is the condition that a mark begins with a text.
func beginning(text string) string { return "startswith(ep/value," + quoted(text) + ")" }

// anyMark is one that every mark fulfils.
const anyMark = "contains(ep/value,'/')"

// expandMark has a list give the marks.
const expandMark = "singleValueExtendedProperties($filter=id eq '" + markID + "')"

// address is that of those in a folder whose mark fulfils a condition; of all that are in
// it for "".
func address(mailbox string, folder outlook.Folder, condition string) string {
	q := url.Values{"$select": {"id"}, "$expand": {expandMark}}
	if condition != "" {
		q.Set("$filter", "singleValueExtendedProperties/Any(ep: ep/id eq "+quoted(markID)+" and "+condition+")")
	}
	return list(mailbox, folder) + "?" + q.Encode()
}

// each calls f for each item of a folder whose mark fulfils a condition.
func (r *Restorer) each(ctx context.Context, mailbox string, folder outlook.Folder, condition string, f func(found) error) error {
	for page, err := range r.client.Pages(ctx, mailbox, address(mailbox, folder, condition)) {
		if err != nil {
			return fmt.Errorf("look for what was put back: %w", err)
		}
		for _, raw := range page.Items {
			var x found
			if err := json.Unmarshal(raw, &x); err != nil {
				return fmt.Errorf("look for what was put back: %w", err)
			}
			if x.ID != "" && x.read() {
				if err := f(x); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// find gives the items with the mark. Graph compares without regard to case, and ids
// differ by it.
func (t target) find(ctx context.Context) (all []found, err error) {
	err = t.r.each(ctx, t.mailbox, t.folder, beginning(prefix(t.mark)), func(x found) error {
		if x.mark == t.mark {
			all = append(all, x)
		}
		return nil
	})
	return all, err
}

// clear looks for what is there of an item. What is whole stays, once; the rest is removed.
func (t target) clear(ctx context.Context) (outlook.Restored, error) {
	all, err := t.find(ctx)
	if err != nil {
		return outlook.Restored{}, err
	}
	var kept outlook.Restored
	for _, x := range all {
		good, err := t.r.isWhole(ctx, t.mailbox, t.folder, x)
		if err != nil {
			return outlook.Restored{}, err
		}
		if good && !kept.Whole {
			kept = outlook.Restored{ID: x.ID, Whole: true}
			continue
		}
		if err := t.r.remove(ctx, t.mailbox, t.path(x.ID)); err != nil {
			return outlook.Restored{}, err
		}
	}
	t.r.setOpen(t.key(), false)
	return kept, nil
}

// isWhole tells whether all of an item is there. Attachments of a message come one after
// the other, each at once: it is whole when their number is right. Sizes are no use, since
// Exchange counts more than the content.
func (r *Restorer) isWhole(ctx context.Context, mailbox string, folder outlook.Folder, x found) (bool, error) {
	switch x.parts {
	case whole:
		return true, nil
	case parts:
		return false, nil
	}
	want, err := strconv.Atoi(x.parts)
	if err != nil {
		return false, nil
	}
	n, err := r.attached(ctx, mailbox, one(mailbox, folder.Kind, x.ID))
	return n == want, err
}

// attached counts the attachments of an item.
func (r *Restorer) attached(ctx context.Context, mailbox, path string) (n int, err error) {
	for page, err := range r.client.Pages(ctx, mailbox, path+"/attachments?$select=id") {
		if err != nil {
			return 0, fmt.Errorf("count attachments: %w", err)
		}
		n += len(page.Items)
	}
	return n, nil
}

// close changes the mark of a contact or an event to that of a whole one.
func (t target) close(ctx context.Context, id string) error {
	body, err := json.Marshal(map[string]any{"singleValueExtendedProperties": []property{t.marked(whole)}})
	if err != nil {
		return err
	}
	return t.r.client.JSON(ctx, t.mailbox, graph.Request{Method: http.MethodPatch, URL: t.path(id), Body: body}, nil)
}

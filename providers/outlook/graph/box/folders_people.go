package box

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// contactFolders gives the default folder, which no list has, and all others. Graph does not
// say how much is in one; it is asked to count.
func (b *Box) contactFolders(ctx context.Context, mailbox string, _ outlook.Wish) ([]outlook.Folder, error) {
	var all []outlook.Folder
	main, err := b.mainContacts(ctx, mailbox)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	if main.ID != "" {
		all, seen[main.ID] = append(all, main), true
	}
	list, err := b.list(ctx, mailbox, with(of(mailbox, "contactFolders"), "$top", "100"))
	if err != nil {
		return nil, err
	}
	add := func(f mailFolder, above *outlook.Folder) {
		if f.ID == "" || seen[f.ID] {
			return
		}
		seen[f.ID] = true
		out := outlook.Folder{ID: f.ID, Kind: outlook.Contacts, Path: []string{f.Name}, Items: -1}
		if above != nil {
			out.Parent, out.Path = above.ID, append(slices.Clone(above.Path), f.Name)
		}
		all = append(all, out)
	}
	for _, f := range list {
		if f.Parent == main.ID && main.ID != "" {
			add(f, &main)
		} else {
			add(f, nil)
		}
	}
	for done := 0; done < len(all); { // all grows with what is below
		some := slices.Clone(all[done:min(done+graph.MostBatch, len(all))])
		done += len(some)
		urls := make([]string, len(some))
		for i, f := range some {
			urls[i] = with(of(mailbox, "contactFolders", f.ID, "childFolders"), "$top", "100")
		}
		lists, err := b.lists(ctx, mailbox, urls)
		if err != nil {
			return nil, err
		}
		for i, children := range lists {
			for _, f := range children {
				add(f, &some[i])
			}
		}
	}
	return all, b.count(ctx, mailbox, all, "contactFolders", "contacts")
}

// mainContacts is the default folder of contacts: "contacts" is its well-known name. Where
// that is not taken, a contact of /contacts tells which folder it is in; ID is "" where there
// is none.
func (b *Box) mainContacts(ctx context.Context, mailbox string) (outlook.Folder, error) {
	out := outlook.Folder{Kind: outlook.Contacts, Path: []string{"Contacts"}, WellKnown: "contacts", Default: true, Items: -1}
	var f mailFolder
	err := b.client.JSON(ctx, mailbox, graph.Request{URL: of(mailbox, "contactFolders", "contacts")}, &f)
	if err == nil {
		out.ID, out.Path = f.ID, []string{f.Name}
		if f.ID == "" {
			err = errNameless
		}
		return out, err
	}
	if !gone(err) && !has(err, "ErrorInvalidIdMalformed", "ErrorInvalidId", "BadRequest") {
		return out, err
	}
	var page struct {
		Value []mailFolder `json:"value"`
	}
	err = b.client.JSON(ctx, mailbox, graph.Request{URL: with(of(mailbox, "contacts"), "$top", "1", "$select", "parentFolderId")}, &page)
	if err == nil && len(page.Value) > 0 {
		out.ID = page.Value[0].Parent
	}
	return out, err
}

// calendar is the JSON of one.
type calendar struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Default bool    `json:"isDefaultCalendar"`
	Edit    bool    `json:"canEdit"`
	Owner   address `json:"owner"`
}

// calendars gives those of all groups of calendars, the default one first.
func (b *Box) calendars(ctx context.Context, mailbox string, _ outlook.Wish) ([]outlook.Folder, error) {
	var list []calendar
	for page, err := range b.client.Pages(ctx, mailbox, with(of(mailbox, "calendars"), "$top", "100")) {
		if err != nil {
			return nil, err
		}
		for _, raw := range page.Items {
			var c calendar
			if err := json.Unmarshal(raw, &c); err != nil {
				return nil, fmt.Errorf("a calendar cannot be read: %w", err)
			}
			list = append(list, c)
		}
	}
	owner := mailbox // the address asked for may be another one of the same mailbox
	if i := slices.IndexFunc(list, func(c calendar) bool { return c.Default }); i >= 0 {
		owner = list[i].Owner.Address
		list = append([]calendar{list[i]}, slices.Delete(slices.Clone(list), i, i+1)...)
	}
	var all []outlook.Folder
	seen := map[string]bool{}
	for _, c := range list {
		if c.ID == "" || seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		f := outlook.Folder{ID: c.ID, Kind: outlook.Calendar, Path: []string{c.Name}, Default: c.Default, ReadOnly: !c.Edit || c.Owner.Address != "" && !strings.EqualFold(c.Owner.Address, owner), Items: -1}
		if c.Default {
			f.WellKnown = "calendar"
		}
		all = append(all, f)
	}
	return all, b.count(ctx, mailbox, all, "calendars", "events")
}

// count asks how many items are in folders. Where Graph does not say, it stays at -1.
func (b *Box) count(ctx context.Context, mailbox string, all []outlook.Folder, above, below string) error {
	for start := 0; start < len(all); start += graph.MostBatch {
		some := all[start:min(start+graph.MostBatch, len(all))]
		calls := make([]graph.Request, len(some))
		for i, f := range some {
			calls[i].URL = with(of(mailbox, above, f.ID, below), "$count", "true", "$top", "1", "$select", "id")
		}
		answers, err := b.client.Batch(ctx, mailbox, calls)
		if err != nil {
			return err
		}
		for i, a := range answers {
			page := struct {
				Count *int64 `json:"@odata.count"`
			}{}
			if a.Err == nil && json.Unmarshal(a.Body, &page) == nil && page.Count != nil {
				some[i].Items = *page.Count
			}
		}
	}
	return nil
}

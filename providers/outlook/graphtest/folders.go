package graphtest

import (
	"slices"
	"strings"
)

// mailFolders answers what is below /users/{id}/mailFolders; rest is what follows it.
func (c *call) mailFolders(rest []string) answer {
	if !c.may("Mail.Read", "Mail.ReadWrite", "Mail.ReadBasic.All", "Mail.ReadBasic") {
		return denied()
	}
	if c.r.Method != "GET" {
		return c.badMethod()
	}
	root := c.box.known["msgfolderroot"]
	switch {
	case len(rest) == 0:
		return c.folders(root.children, c.mailFolder, "mailFolder")
	case strings.EqualFold(rest[0], "delta"):
		return c.delta(c.folderFeed("mailFolder", c.box.tree, c.mailFolder))
	}
	f := c.box.findFolder(rest[0], kindMessage)
	if f == nil && isDelta(rest) {
		f = c.box.goneFolder(rest[0])
	}
	if f == nil {
		return notFound()
	}
	if len(rest) == 1 {
		return c.entity(c.mailFolder(f), "mailFolder")
	}
	switch strings.ToLower(rest[1]) {
	case "childfolders":
		if len(rest) == 2 {
			return c.folders(f.children, c.mailFolder, "mailFolder")
		}
	case "messages":
		if isDelta(rest) {
			return c.delta(c.itemFeed(f, "message", c.message))
		}
		return c.messages(f, rest[2:])
	}
	return c.noSegment(rest[len(rest)-1])
}

// isDelta tells whether a path below folders is a delta query of what is in one.
func isDelta(rest []string) bool { return len(rest) == 3 && strings.EqualFold(rest[2], "delta") }

// goneFolder is a deleted one, whose delta tokens are answered in their own way.
func (b *Mailbox) goneFolder(id string) *Folder {
	n, ok := b.read(id)
	if !ok || n.kind != kindFolder || int(n.serial) >= len(b.folders) || !b.folders[n.serial].gone {
		return nil
	}
	return b.folders[n.serial]
}

// folders is a list; hidden ones are in it on request.
func (c *call) folders(all []*Folder, render func(*Folder) map[string]any, shape string) answer {
	if !strings.EqualFold(c.q.values.Get("includehiddenfolders"), "true") {
		all = slices.DeleteFunc(slices.Clone(all), func(f *Folder) bool { return f.hidden })
	}
	return c.list(len(all), shape, 10, func(i int) (map[string]any, *failure) { return render(all[i]), nil })
}

func (c *call) mailFolder(f *Folder) map[string]any {
	unread := 0
	for _, i := range f.items {
		if i.message == nil && len(f.items) > 5000 {
			break // counting would write every message; what counts here is the total
		}
		if m := i.content(); !m.Read {
			unread++
		}
	}
	out := map[string]any{
		"id": f.id(), "displayName": f.name, "childFolderCount": len(f.children), "totalItemCount": len(f.items), "unreadItemCount": unread, "isHidden": f.hidden, "parentFolderId": nil,
	}
	if f.parent != nil {
		out["parentFolderId"] = f.parent.id()
	}
	c.special(f, out)
	return out
}

// entity answers one entity as far as it was selected.
func (c *call) entity(v map[string]any, shape string) answer {
	v, bad := c.pick(v, shape)
	if bad != nil {
		return answer{fail: bad}
	}
	return one(shape, c.context("/$entity"), v)
}

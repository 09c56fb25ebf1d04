package graphtest

import (
	"fmt"
	"regexp"
)

// SearchFolder adds a search folder: it is listed among the others, and what it shows lies
// elsewhere (learn.microsoft.com/graph/api/resources/mailsearchfolder).
func (b *Mailbox) SearchFolder(label string) *Folder {
	f := b.Folder(label)
	b.tenant.mu.Lock()
	defer b.tenant.mu.Unlock()
	f.search = true
	return f
}

// Lent makes a calendar one of somebody else, which was shared with the mailbox to look at.
func (f *Folder) Lent(owner Address) *Folder {
	f.box.tenant.mu.Lock()
	defer f.box.tenant.mu.Unlock()
	f.owner = owner
	return f
}

// longSize is PidTagMessageSizeExtended.
var longSize = regexp.MustCompile(`(?i)id eq '(Long 0x0*E08)'`)

// special adds what only some mail folders have, or only on request.
func (c *call) special(f *Folder, out map[string]any) {
	if f.search {
		out["@odata.type"] = "#microsoft.graph.mailSearchFolder"
		out["isSupported"], out["includeNestedFolders"], out["sourceFolderIds"], out["filterQuery"] = true, true, []any{f.box.known["msgfolderroot"].id()}, "hasAttachments eq true"
	}
	m := longSize.FindStringSubmatch(c.q.expand)
	if m == nil {
		return
	}
	sum := 0
	for _, i := range f.items {
		sum += i.content().size()
	}
	out["singleValueExtendedProperties"] = []any{map[string]any{"id": m[1], "value": fmt.Sprint(sum)}}
}

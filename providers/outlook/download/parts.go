package download

import (
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// part is what one word of a request means.
type part struct {
	text  string       // as it was asked for
	group string       // keepwatch.PartMail and so on; "": a folder
	kind  outlook.Kind // of a folder that is named with its kind, else ""
	path  string       // of a folder, without its kind
}

// readPart takes a word apart. Upper and lower case are the same.
func readPart(text string) part {
	word := strings.Trim(strings.TrimSpace(text), "/")
	switch lower := strings.ToLower(word); lower {
	case keepwatch.PartMail, keepwatch.PartContacts, keepwatch.PartCalendar, keepwatch.PartHidden, keepwatch.PartRecoverable:
		return part{text: text, group: lower}
	case "calendars":
		return part{text: text, group: keepwatch.PartCalendar}
	}
	p := part{text: text, path: word}
	if first, rest, found := strings.Cut(word, "/"); found {
		switch strings.ToLower(first) {
		case keepwatch.PartMail:
			p.kind, p.path = outlook.Mail, rest
		case keepwatch.PartContacts:
			p.kind, p.path = outlook.Contacts, rest
		case keepwatch.PartCalendar, "calendars":
			p.kind, p.path = outlook.Calendar, rest
		}
	}
	return p
}

// readParts gives what the words of a request mean; none are mail, contacts and calendars.
func readParts(words []string) []part {
	if len(words) == 0 {
		words = []string{keepwatch.PartMail, keepwatch.PartContacts, keepwatch.PartCalendar}
	}
	parts := make([]part, len(words))
	for i, word := range words {
		parts[i] = readPart(word)
	}
	return parts
}

// has reports whether a group is among the parts.
func has(parts []part, group string) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.group == group })
}

// WishOf says which folders have to be listed so that Select finds what the parts name.
func WishOf(parts []string) outlook.Wish {
	read := readParts(parts)
	kinds := map[outlook.Kind]bool{}
	wish := outlook.Wish{Hidden: has(read, keepwatch.PartHidden), Recoverable: has(read, keepwatch.PartRecoverable)}
	for _, p := range read {
		switch {
		case p.group == keepwatch.PartContacts || p.kind == outlook.Contacts:
			kinds[outlook.Contacts] = true
		case p.group == keepwatch.PartCalendar || p.kind == outlook.Calendar:
			kinds[outlook.Calendar] = true
		default:
			kinds[outlook.Mail] = true
		}
		if p.group == "" && p.kind != outlook.Contacts && p.kind != outlook.Calendar {
			wish.Hidden = true // it may be one of those
			wish.Recoverable = wish.Recoverable || strings.HasPrefix(strings.ToLower(p.path), "recoverableitems")
		}
	}
	for _, k := range []outlook.Kind{outlook.Mail, outlook.Contacts, outlook.Calendar} {
		if kinds[k] {
			wish.Kinds = append(wish.Kinds, k)
		}
	}
	return wish
}

// Select gives those of the folders that the parts name, in their order, and the parts
// that name none of them. Groups, such as "mail", may be empty. What lies below a folder
// that is named is taken with it; hidden folders and recoverable ones only where they are
// asked for, or lie below one that is named.
func Select(parts []string, folders []outlook.Folder) (chosen []outlook.Folder, missing []string) {
	return choose(readParts(parts), newTree(folders), nil)
}

// choose is Select, with more folders by their ID as if they were named.
func choose(parts []part, t *tree, also map[string]bool) (chosen []outlook.Folder, missing []string) {
	named := map[string]bool{}
	for _, p := range parts {
		if p.group != "" {
			continue
		}
		hits := t.named(p)
		if len(hits) == 0 {
			missing = append(missing, p.text)
		}
		for _, f := range hits {
			named[f.ID] = true
		}
	}
	for _, f := range t.folders {
		if t.takes(parts, named, also, f) {
			chosen = append(chosen, f)
		}
	}
	return chosen, missing
}

// takes reports whether a folder is one of a group, or is or lies below one that is named.
func (t *tree) takes(parts []part, named, also map[string]bool, f outlook.Folder) bool {
	hidden, recoverable := t.hidden(f), f.Recoverable
	asked := (!hidden || has(parts, keepwatch.PartHidden)) && (!recoverable || has(parts, keepwatch.PartRecoverable))
	switch {
	case f.Kind == outlook.Mail && recoverable && has(parts, keepwatch.PartRecoverable):
		return true
	case f.Kind == outlook.Mail && hidden && !recoverable && has(parts, keepwatch.PartHidden):
		return true
	case f.Kind == outlook.Mail && !hidden && !recoverable && has(parts, keepwatch.PartMail):
		return true
	case f.Kind == outlook.Contacts && has(parts, keepwatch.PartContacts), f.Kind == outlook.Calendar && has(parts, keepwatch.PartCalendar):
		return true
	}
	for up := range t.upwards(f) {
		if also[up.ID] && (asked || up.ID == f.ID) {
			return true
		}
		if named[up.ID] && (asked || t.hidden(up) || up.Recoverable) {
			return true
		}
	}
	return false
}

// noSuch says of parts that name nothing what they may have meant, or what there is.
func noSuch(mailbox string, missing []string, folders []outlook.Folder) error {
	text := missing[0]
	p := readPart(text)
	titles, near := []string{}, []string{}
	for _, f := range folders {
		if p.kind != "" && f.Kind != p.kind || p.kind == "" && f.Kind != outlook.Mail {
			continue
		}
		title := keepwatch.Printable(f.Title())
		if p.kind != "" {
			title = string(p.kind) + "/" + title
		}
		if isNear(p.path, f) {
			near = append(near, title)
		}
		if !f.Hidden && !f.Recoverable {
			titles = append(titles, title)
		}
	}
	kind := "folder"
	if p.kind == outlook.Calendar {
		kind = "calendar"
	}
	hint := "Parts are mail, contacts, calendar, hidden, recoverable, or a folder such as Inbox/Projects or calendar/Team."
	switch {
	case len(near) > 0:
		hint = "Did you mean " + some(near, 3, "or") + "?"
	case len(titles) > 0:
		hint = "It has " + some(titles, 10, "and") + ". " + hint
	}
	return keepwatch.Errorf(keepwatch.KindInvalid, "The mailbox %s has no %s %q. %s", mailbox, kind, keepwatch.Printable(text), hint)
}

// some joins the first few of a list for a sentence.
func some(list []string, most int, join string) string {
	if more := len(list) - most; more > 0 {
		return strings.Join(list[:most], ", ") + ", " + join + " " + keepwatch.FormatCount(int64(more), "more", "more")
	}
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + join + " " + list[len(list)-1]
}

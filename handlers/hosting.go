package handlers

import (
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// hostingParts says what the parts of a hosting account are called.
const hostingParts = "Parts are home, databases, database:NAME for one of them, forwarders and filters."

// checkParts refuses parts that a source cannot have.
func (r *Router) checkParts(source keepwatch.Source, parts []string) error {
	switch source.Kind {
	case keepwatch.KindOutlook:
		return r.checkMailParts(source, parts)
	case keepwatch.KindCPanel:
	default:
		return nil // files are looked for when it begins
	}
	for _, part := range parts {
		if keepwatch.ValidHostingPart(part) {
			continue
		}
		text := fmt.Sprintf("%q is no part of a hosting account. %s", part, hostingParts)
		if near := nearest(part, partNames()); near != "" && near != keepwatch.PartDatabase {
			return hinted{
				keepwatch.Errorf(keepwatch.KindInvalid, "%s", text),
				[]keepwatch.Button{{Label: "Yes, " + near, Command: "backup start " + Quote(source.Name, near), Style: keepwatch.StylePrimary}},
			}
		}
		return keepwatch.Errorf(keepwatch.KindInvalid, "%s", text)
	}
	return nil
}

func partNames() []string {
	return []string{keepwatch.PartHome, keepwatch.PartDatabases, keepwatch.PartForwarders, keepwatch.PartFilters}
}

// partsOfAccount gives what may be named as a part of a hosting account: the
// databases are those that its archives hold.
func (r *Router) partsOfAccount(source string) []Candidate {
	list := []Candidate{
		{keepwatch.PartHome, "the home directory", true}, {keepwatch.PartDatabases, "each database", true},
		{keepwatch.PartForwarders, "e-mail forwarders of each domain", true}, {keepwatch.PartFilters, "e-mail filters", true},
	}
	archives, err := r.cfg.History.Archives(source)
	if err != nil {
		return list
	}
	var names []string
	for _, a := range archives {
		if a.Inside != nil {
			for _, name := range a.Inside.Databases { // one of PostgreSQL is no part
				if !slices.Contains(a.Inside.Postgres, name) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if part := keepwatch.PartDatabase + name; keepwatch.ValidHostingPart(part) && len(list) < mostParts {
			list = append(list, Candidate{part, "this database alone", true})
		}
	}
	return list
}

// partsToPutBack gives what may be named behind an archive that goes back into its
// account: parts, and more archives of the same source.
func (r *Router) partsToPutBack(archive string, req keepwatch.Request) []Candidate {
	a, err := r.archive(&call{req: req}, archive)
	if err != nil {
		return nil
	}
	return append(r.partsOfAccount(a.Source), r.otherArchives(a)...)
}

// otherArchives gives those of the same source.
func (r *Router) otherArchives(a keepwatch.Archive) (list []Candidate) {
	others, err := r.cfg.History.Archives(a.Source)
	if err != nil {
		return nil
	}
	for _, o := range others {
		if o.Ref() != a.Ref() {
			list = append(list, Candidate{o.Ref(), keepwatch.FormatBytes(o.Bytes) + ", " + proofWord(o), true})
		}
	}
	return list
}

// goesToAccount reports whether a command that is being typed puts parts back into an
// account.
func goesToAccount(given []string) bool {
	i := slices.Index(given, "--to")
	return i >= 0 && i+1 < len(given) && given[i+1] == toAccount || slices.Contains(given, "--to="+toAccount)
}

// ofAccount reports whether a word names an archive or a source of a hosting account.
func (r *Router) ofAccount(word string) bool {
	name, _, _ := strings.Cut(word, "/")
	s, err := r.cfg.Sources.Source(name)
	return err == nil && s.Kind == keepwatch.KindCPanel
}

// goesToMailbox reports whether a command that is being typed puts parts of an archive into
// a mailbox.
func (r *Router) goesToMailbox(given []string, archive string) bool {
	i := slices.Index(given, "--to")
	to := ""
	if i >= 0 && i+1 < len(given) {
		to = given[i+1]
	}
	for _, word := range given {
		if rest, ok := strings.CutPrefix(word, "--to="); ok {
			to = rest
		}
	}
	word, _, _ := strings.Cut(to, "/")
	return r.ofMailbox(archive) && (word == toMailbox || to == toOriginal || strings.Contains(word, "@"))
}

// ofMailbox reports whether a word names an archive or a source of a mailbox.
func (r *Router) ofMailbox(word string) bool {
	name, _, _ := strings.Cut(word, "/")
	s, err := r.cfg.Sources.Source(name)
	return err == nil && s.Kind == keepwatch.KindOutlook
}

// partsForMailbox gives what may be named behind an archive that goes into a mailbox:
// kinds, and more archives of the same source.
func (r *Router) partsForMailbox(archive string, req keepwatch.Request) []Candidate {
	list := []Candidate{{"mail", "all folders of mail", true}, {"contacts", "all folders of contacts", true}, {"calendar", "all calendars", true}}
	a, err := r.archive(&call{req: req}, archive)
	if err != nil {
		return list
	}
	return append(list, r.otherArchives(a)...)
}

// insideFields says what was seen inside an archive that is stored as one file.
func (r *Router) insideFields(a keepwatch.Archive) []keepwatch.Field {
	var fields []keepwatch.Field
	if at := a.AsOf(); !at.Equal(a.Started) {
		fields = append(fields, keepwatch.Field{Name: "As it was on", Time: at})
	}
	if a.Inside != nil && a.Inside.Account != "" {
		name := "Account"
		if a.Kind == keepwatch.KindOutlook {
			name = "Mailbox"
		}
		fields = append(fields, keepwatch.Field{Name: name, Value: keepwatch.Printable(a.Inside.Account)})
	}
	if a.Held != "" {
		fields = append(fields, keepwatch.Field{Name: "Called by the host", Value: keepwatch.Printable(a.Held)})
	}
	if a.Inside == nil || a.Inside.IsZero() || holdsMail(a.Inside) { // what of a mailbox is inside is what it holds
		return fields
	}
	fields = append(fields, keepwatch.Field{Name: "Inside", Value: insideText(*a.Inside)})
	if len(a.Inside.Databases) > 0 {
		fields = append(fields, keepwatch.Field{Name: "Databases", Value: namesText(a.Inside.Databases)})
	}
	if len(a.Inside.Domains) > 0 {
		fields = append(fields, keepwatch.Field{Name: "Domains", Value: namesText(a.Inside.Domains)})
	}
	return fields
}

// insideText counts what was seen inside.
func insideText(i keepwatch.Inside) string {
	var words []string
	for _, c := range []struct {
		n    int64
		noun string
	}{{i.Files, "file"}, {int64(len(i.Databases)), "database"}, {int64(len(i.Domains)), "domain"}} {
		if c.n > 0 {
			words = append(words, keepwatch.FormatCount(c.n, c.noun))
		}
	}
	if i.Bytes > 0 { // of all of these
		words = append(words, keepwatch.FormatBytes(i.Bytes)+" unpacked")
	}
	return strings.Join(words, ", ")
}

// namesText names the first few of what has names.
func namesText(names []string) string {
	const shown = 12
	text := printable(names[:min(len(names), shown)], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// holdsNo says that an archive has no entries of these names. Of a hosting account the
// names of databases and of files of the home are none, as a full backup is one file,
// and each part is one; how to get at what is inside is said, so that nobody takes it
// for lost.
func holdsNo(a keepwatch.Archive, missing []string) string {
	switch {
	case a.Kind != keepwatch.KindCPanel:
		return "The archive holds no " + printable(missing, ", ") + "."
	case len(a.Parts) == 0:
		return "No file of the archive is called " + printable(missing, ", ") + ". It is one file, as the host made it, and what is inside that is not restored to a folder by itself. Leave the part out, and unpack the file with tar xzf: databases lie under mysql, the account's files under homedir. Parts go back into the account with --to account."
	}
	return "No file of the archive is called " + printable(missing, ", ") + ". Each part is a file of its own in it: name the file, as `backup show " + Quote(a.Ref()) + "` lists it. Parts go back into the account with --to account."
}

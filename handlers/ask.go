package handlers

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"keepwatch"
)

// fewChoices is how many buttons a question has at the most.
const fewChoices = 8

// mostChoices is how many options a menu has: as many as Slack's, the largest.
const mostChoices = 100

// askFor asks for an option that was left out: with buttons where the choices
// are few, with an example otherwise.
func (r *Router) askFor(c *call, o Option) (keepwatch.Message, error) {
	msg := keepwatch.Message{Title: question(o), Tone: keepwatch.ToneWarn, Refused: keepwatch.KindInvalid, Failed: true}
	choices, err := r.choices(o.Type, c.person)
	if err != nil {
		return msg, err
	}
	given := []string{c.cmd.Title()}
	for _, known := range c.cmd.Options {
		if !known.Flag && len(c.args[known.Name]) > 0 {
			given = append(given, Quote(c.args[known.Name]...))
		}
	}
	if len(choices) > 0 && len(choices) <= fewChoices {
		for _, choice := range choices {
			msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: choice.label(o.Type), Command: strings.Join(append(given, Quote(choice.Text)), " ")})
		}
	}
	if len(choices) > fewChoices && !c.req.Local { // in the terminal Tab completes
		menu := keepwatch.Menu{Label: question(o)}
		for _, choice := range choices[:min(len(choices), mostChoices)] {
			menu.Options = append(menu.Options, keepwatch.Button{Label: choice.label(o.Type), Command: strings.Join(append(slices.Clone(given), Quote(choice.Text)), " ")})
		}
		msg.Menus = append(msg.Menus, menu)
	}
	if c.cmd.form != nil {
		msg.Buttons = append(msg.Buttons, c.cmd.form(c))
	}
	if len(choices) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(none(o)))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("It is written:"), keepwatch.Code("/"+c.cmd.Usage()))
	if len(c.cmd.Examples) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("For example:"), keepwatch.Code("/"+c.cmd.Examples[0]))
	}
	return msg, nil
}

func question(o Option) string {
	switch o.Type {
	case TypeSource:
		return "Which source?"
	case TypeRun:
		return "Which run?"
	case TypeArchive:
		return "Which archive?"
	case TypeWarning:
		return "Which warning?"
	case TypePerson:
		return "Who?"
	case TypeWhen, TypeMoment:
		return "When?"
	case TypeChannel:
		return "Where?"
	case TypeRule, TypeEither:
		return "Which reminder?"
	case TypeDue:
		return "Which one?"
	}
	return fmt.Sprintf("%s is missing", strings.ToUpper(o.Name))
}

func none(o Option) string {
	switch o.Type {
	case TypeSource:
		return "There is no source yet. Name what to keep in keepwatch.yaml; in the terminal a path will do."
	case TypeRun:
		return "No run is under way."
	case TypeArchive:
		return "There is no archive yet."
	case TypeWarning:
		return "Nothing needs anybody: there is no warning."
	case TypeRule, TypeEither:
		return "There is no reminder yet. /reminder add makes one."
	case TypeDue:
		return "Nothing is open: whatever came due is answered."
	}
	return o.Summary
}

// Candidate is something that a word may be completed to.
type Candidate struct {
	Text    string
	Summary string
	Space   bool // nothing more belongs to the word
}

// label is what a button says that stands for a candidate: a number alone names
// nothing to people.
func (c Candidate) label(t OptionType) string {
	if c.Summary != "" && (t == TypeRule || t == TypeDue || t == TypeEither) {
		return c.Summary + " (" + c.Text + ")"
	}
	return c.Text
}

// choices gives what an option of a type may be for a person, newest or first first.
func (r *Router) choices(t OptionType, p keepwatch.Person) ([]Candidate, error) {
	var list []Candidate
	add := func(text, summary string) { list = append(list, Candidate{text, summary, true}) }
	switch t {
	case TypeSource:
		sources, err := r.cfg.Sources.Sources()
		if err != nil {
			return nil, err
		}
		for _, s := range sources {
			add(s.Name, where(s))
		}
	case TypeRun:
		runs, err := r.cfg.History.OpenRuns()
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			add(fmt.Sprint(run.ID), fmt.Sprintf("%s of %s, %s", run.Kind, run.Source, run.State))
		}
	case TypeArchive:
		archives, err := r.cfg.History.Archives("")
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, a := range archives {
			if !seen[a.Source] {
				seen[a.Source] = true
				add(a.Source, "the newest archive of "+a.Source)
			}
		}
		for _, a := range archives {
			add(a.Ref(), keepwatch.FormatBytes(a.Bytes)+", "+proofWord(a))
		}
	case TypePerson:
		for _, p := range r.cfg.People {
			if !slices.ContainsFunc(list, func(c Candidate) bool { return c.Text == p.Name }) {
				add(p.Name, p.Role.String())
			}
		}
	case TypeCommand:
		for _, c := range r.commands {
			add(c.Title(), c.Summary)
		}
	case TypeWarning:
		return r.warningChoices()
	case TypeDevice, TypeCustody, TypeField:
		return r.authenticatorChoices(t, p)
	default:
		return r.reminderChoices(t)
	}
	return list, nil
}

// where says in a word what a source is.
func where(s keepwatch.Source) string {
	switch s.Kind {
	case keepwatch.KindFiles:
		if s.Drop {
			return "drop folder " + s.Path
		}
		return s.Path
	case keepwatch.KindCPanel:
		return "cPanel account " + s.Hosting.User + " at " + s.Hosting.URL
	case keepwatch.KindOutlook:
		return "mailbox " + s.Mailbox
	case keepwatch.KindDossier:
		return "what Microsoft asks for in a lock-out"
	}
	return string(s.Kind)
}

// archive finds the archive that a word names: a whole name, a source (its
// newest), or a source and the beginning of a time.
func (r *Router) archive(c *call, word string) (keepwatch.Archive, error) {
	source, stamp, _ := strings.Cut(word, "/")
	if name, ok := r.atPath(c, word); ok {
		source, stamp = name, ""
	} else if source == "" || source == "." || source == ".." || source == "~" {
		return keepwatch.Archive{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no archive of %s. `/backup list` shows those that there are.", word)
	}
	archives, err := r.cfg.History.Archives(source)
	if err == nil && len(archives) == 0 && keepwatch.NameFrom(source) != source { // as the file is spelt, and not the source that was made of it
		if others, err := r.cfg.History.Archives(keepwatch.NameFrom(source)); err == nil && len(others) > 0 {
			source, archives = keepwatch.NameFrom(source), others
		}
	}
	if err != nil {
		return keepwatch.Archive{}, err
	}
	for _, a := range archives { // newest first
		if a.Stamp == stamp {
			return a, nil
		}
	}
	slices.SortStableFunc(archives, func(a, b keepwatch.Archive) int { return b.AsOf().Compare(a.AsOf()) }) // one that was brought home is of another day
	if stamp == "" || stamp == "latest" {                                                                   // one of the whole source, where there is any
		if i := slices.IndexFunc(archives, func(a keepwatch.Archive) bool { return len(a.Parts) == 0 }); i >= 0 {
			return archives[i], nil
		}
	}
	var fitting []keepwatch.Archive
	for _, a := range archives {
		if stamp == "" || stamp == "latest" {
			return a, nil
		}
		if strings.HasPrefix(a.Stamp, stamp) {
			fitting = append(fitting, a)
		}
	}
	if len(fitting) == 1 {
		return fitting[0], nil
	}
	if len(fitting) > 1 {
		return keepwatch.Archive{}, manyArchives(c, word, fitting)
	}
	if len(archives) > 0 {
		return keepwatch.Archive{}, hinted{
			keepwatch.Errorf(keepwatch.KindNotFound, "%s has no archive %q. `/backup list %s` shows those that there are.", source, stamp, source),
			[]keepwatch.Button{{Label: "List", Command: "backup list " + source}},
		}
	}
	return keepwatch.Archive{}, r.noArchive(source)
}

// manyArchives says that a word could be several archives, newest first.
func manyArchives(c *call, word string, fitting []keepwatch.Archive) error {
	h := hinted{error: keepwatch.Errorf(keepwatch.KindInvalid, "%q could be any of %s. Say which one.", word, keepwatch.FormatCount(int64(len(fitting)), "archive"))}
	for _, a := range fitting[:min(len(fitting), fewChoices)] {
		h.buttons = append(h.buttons, keepwatch.Button{Label: a.Ref(), Command: c.cmd.Title() + " " + Quote(a.Ref())})
	}
	return h
}

// atPath gives the source that was made of a path, which somebody in the
// terminal may name instead.
func (r *Router) atPath(c *call, word string) (name string, ok bool) {
	if !c.req.Local || !strings.HasPrefix(word, ".") && !filepath.IsAbs(word) {
		return "", false
	}
	abs, err := filepath.Abs(below(c.req.Dir, word))
	sources, listErr := r.cfg.Sources.Sources()
	if err != nil || listErr != nil {
		return "", false
	}
	for _, s := range sources {
		if s.Path == abs {
			return s.Name, true
		}
	}
	return "", false
}

// noArchive says that a source has none, or that there is no such source.
func (r *Router) noArchive(source string) error {
	if _, err := r.cfg.Sources.Source(source); err == nil {
		return hinted{
			keepwatch.Errorf(keepwatch.KindNotFound, "There is no archive of %s yet. Make one first.", source),
			[]keepwatch.Button{{Label: "Back it up now", Command: "backup start " + Quote(source)}},
		}
	}
	return r.noSource(source, "")
}

// noSource says that there is no such source, and which was probably meant.
func (r *Router) noSource(name, rest string) error {
	choices, err := r.choices(TypeSource, keepwatch.Person{})
	if err != nil {
		return err
	}
	var names []string
	for _, c := range choices {
		names = append(names, c.Text)
	}
	if near := nearest(name, names); near != "" {
		e := keepwatch.Errorf(keepwatch.KindNotFound, "There is no source named %q. Did you mean %s?", name, near)
		if rest == "" {
			return e
		}
		return hinted{e, []keepwatch.Button{{Label: "Yes, " + near, Command: strings.Replace(rest, "%s", near, 1)}}}
	}
	return keepwatch.Errorf(keepwatch.KindNotFound, "There is no source named %q. `/backup sources` lists those that there are.", name)
}

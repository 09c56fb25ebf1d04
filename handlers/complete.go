package handlers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"keepwatch"
)

// Complete gives what the word before cursor (a byte offset into req.Text) may
// be completed to, for whoever asks. It reads, and never changes anything.
func (r *Router) Complete(ctx context.Context, req keepwatch.Request, cursor int) []Candidate {
	person, ok := r.person(req)
	if !ok || cursor < 0 || cursor > len(req.Text) || !utf8.ValidString(req.Text) {
		return nil
	}
	text := req.Text[:cursor]
	start := WordStart(text)
	word := text[start:]
	words, err := Split(text[:start])
	if err != nil {
		return nil
	}
	slash := ""
	if len(words) == 0 {
		slash = word[:len(word)-len(strings.TrimPrefix(word, "/"))]
	} else {
		words[0] = strings.TrimPrefix(words[0], "/")
	}
	allowed := func(c Command) bool { return person.Role >= c.Role && (req.Local || !c.Local) }
	var list []Candidate
	switch len(words) {
	case 0:
		for _, c := range r.commands {
			if allowed(c) && !slices.ContainsFunc(list, func(x Candidate) bool { return x.Text == slash+c.Group }) {
				list = append(list, Candidate{slash + c.Group, "", true})
			}
		}
		list = append(list, Candidate{slash + "help", "what you may do here", true})
	case 1:
		for _, c := range r.commands {
			if allowed(c) && c.Group == strings.ToLower(words[0]) {
				list = append(list, Candidate{c.Name, c.Summary, true})
			}
		}
	default:
		if c, rest, ok := r.find(words); ok && allowed(c) {
			list = r.completeOption(ctx, c, rest, word, req)
		}
	}
	return slices.DeleteFunc(list, func(x Candidate) bool { return !strings.HasPrefix(x.Text, word) })
}

// completeOption gives what may stand next in a command: the values of the
// option that is due, or the flags.
func (r *Router) completeOption(ctx context.Context, c Command, given []string, word string, req keepwatch.Request) []Candidate {
	if n := len(given); n > 0 {
		if o, ok := c.option(strings.TrimPrefix(given[n-1], "--")); ok && o.Type != TypeSwitch && strings.HasPrefix(given[n-1], "--") {
			list := r.values(o.Type, word, req)
			if o.Name == "to" && o.Type == TypePath && r.ofAccount(given[0]) {
				list = append([]Candidate{{toAccount, "back into the hosting account", true}}, list...)
			}
			if o.Name == "to" && o.Type == TypePath && r.ofMailbox(given[0]) {
				list = append([]Candidate{{toMailbox, "into a new folder of the mailbox", true}, {toOriginal, "into the folders of the mailbox where it was", true}}, list...)
			}
			if o.Name == "present" {
				list = []Candidate{{"skip", "leave out what is there already", true}, {"copy", "put another one beside it", true}}
			}
			return list
		}
	}
	if strings.HasPrefix(word, "-") {
		var list []Candidate
		for _, o := range c.Options {
			if o.Flag && !slices.Contains(given, "--"+o.Name) && !(o.Name == "changes" && r.alwaysWhole(given)) {
				list = append(list, Candidate{"--" + o.Name, o.Summary, true})
			}
		}
		return list
	}
	due, first := 0, ""
	for i := 0; i < len(given); i++ {
		if o, ok := c.option(strings.TrimPrefix(given[i], "--")); ok && strings.HasPrefix(given[i], "--") {
			if o.Type != TypeSwitch {
				i++
			}
			continue
		}
		if due++; due == 1 {
			first = given[i]
		}
	}
	for _, o := range c.Options {
		if o.Flag {
			continue
		}
		if due == 0 || o.Variadic {
			if o.Type == TypeTopic {
				return r.topicsOf(c.Title())
			}
			if o.Type == TypePart || o.Type == TypeHeld {
				return r.insideOf(ctx, c, o, given, first, word, req)
			}
			return r.values(o.Type, word, req)
		}
		due--
	}
	return nil
}

// insideOf gives what may be named of what stands first in a command: parts of an
// archive or of a source, or what its host holds.
func (r *Router) insideOf(ctx context.Context, c Command, o Option, given []string, first, word string, req keepwatch.Request) []Candidate {
	var list []Candidate
	switch {
	case o.Type == TypeHeld:
		list = r.heldOf(first)
	case c.Options[0].Type == TypeArchive && r.goesToMailbox(given, first):
		list = r.partsForMailbox(first, req)
	case c.Options[0].Type == TypeArchive && !goesToAccount(given):
		return r.partsOf(ctx, first, word, req)
	case c.Options[0].Type == TypeArchive:
		list = r.partsToPutBack(first, req)
	default:
		s, err := r.cfg.Sources.Source(first)
		switch {
		case err == nil && s.Kind == keepwatch.KindCPanel:
			list = r.partsOfAccount(first)
		case err == nil && s.Kind == keepwatch.KindOutlook:
			list = r.partsOfMailbox(ctx, first)
		default:
			return r.values(o.Type, word, req)
		}
	}
	if req.Local { // what is completed there is a part of a line
		for i := range list {
			list[i].Text = Quote(list[i].Text)
		}
	}
	return list
}

// values gives what an option of a type may be; nothing where it cannot be read.
// Whoever sits at this machine is given paths where a path will do.
func (r *Router) values(t OptionType, word string, req keepwatch.Request) []Candidate {
	asPath := t == TypePath || (t == TypeSource || t == TypeArchive) && strings.IndexAny(strings.TrimPrefix(word, `"`), "./~") == 0
	if req.Local && asPath {
		return paths(req.Dir, word)
	}
	person, _ := r.person(req)
	list, err := r.choices(t, person)
	if err != nil {
		return nil
	}
	if req.Local { // what is completed there is a part of a line
		for i := range list {
			list[i].Text = quotedFor(t, list[i].Text)
		}
	}
	return list
}

// quotedFor gives a value as one word of a line. Those of a variadic option may
// be several words, and are read as such.
func quotedFor(t OptionType, text string) string {
	if t == TypeCommand || t == TypeMoment {
		return text
	}
	return Quote(text)
}

// Limits of a look into an archive while somebody types.
const (
	partsWithin = time.Second
	mostEntries = 20_000 // that are looked at
	mostParts   = 500
)

// partsOf gives what of an archive may be named as a part: what lies at the top of
// it and in the folders there, and further down where word leads there. It looks
// at the beginning of a large archive alone, because somebody waits.
func (r *Router) partsOf(ctx context.Context, archive, word string, req keepwatch.Request) []Candidate {
	a, err := r.archive(&call{req: req}, archive)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, partsWithin)
	defer cancel()
	enough := errors.New("enough")
	depth, looked := strings.Count(word, "/")+2, 0
	seen := map[string]bool{}
	quoted := strings.HasPrefix(word, `"`)
	if req.Local { // it is written as the word is
		typed, ok := unescape(strings.TrimPrefix(word, `"`))
		if !ok {
			return nil
		}
		word = typed
	}
	var list []Candidate
	offer := func(path, summary string) {
		text, space := path, true
		if req.Local {
			text, space = escape(path, quoted), !strings.HasSuffix(path, "/")
			if quoted && space {
				text += `"`
			}
		}
		list = append(list, Candidate{text, summary, space})
	}
	err = r.cfg.Vault.Contents(ctx, a.Ref(), func(e keepwatch.Entry) error {
		if looked++; looked > mostEntries || len(list) >= mostParts || ctx.Err() != nil {
			return enough
		}
		steps := strings.Split(e.Path, "/")
		for n := 1; n <= min(depth, len(steps)); n++ {
			path := strings.Join(steps[:n], "/")
			if seen[path] || !strings.HasPrefix(path, word) {
				continue
			}
			seen[path] = true
			summary := "a folder"
			if n == len(steps) && e.Type == keepwatch.EntryFile {
				summary = keepwatch.FormatBytes(e.Size)
			} else if n == len(steps) && e.Type != keepwatch.EntryFolder {
				summary = ""
			}
			offer(path, summary)
		}
		return nil
	}, func(n keepwatch.Note) error {
		if n.Mailbox == nil || !strings.HasPrefix(word, n.Mailbox.Path) { // else only that there is a file
			return nil
		}
		for _, f := range n.Mailbox.Folders {
			if part := keepwatch.MailPart(n.Mailbox.Path, f.Path, 0); strings.HasPrefix(part, word) && len(list) < mostParts {
				offer(part, keepwatch.FormatCount(f.Items, "item")+" of a mailbox")
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) && ctx.Err() == nil {
		r.cfg.Log.Info("what is in an archive could not be read for a suggestion", "archive", a.Ref(), "err", err)
	}
	return list
}

package handlers

import (
	"context"
	"slices"
	"strings"

	"keepwatch"
)

// OptionType says what an option takes. Help, completion and the registration
// with platforms are made from it.
type OptionType string

// The types of option.
const (
	TypeSource  OptionType = "source"
	TypePart    OptionType = "part"
	TypeRun     OptionType = "run"
	TypeArchive OptionType = "archive" // an archive, or a source for its newest one
	TypePerson  OptionType = "person"
	TypePath    OptionType = "path"
	TypeText    OptionType = "text"
	TypeTime    OptionType = "time" // 2026-11-24, 2026-11-24T10:00, or 24h, 7d ago
	TypeCount   OptionType = "count"
	TypeSwitch  OptionType = "switch" // --name alone
	TypeCommand OptionType = "command"
	TypeWarning OptionType = "warning" // one that holds
	TypeDevice  OptionType = "device"  // a phone that holds Microsoft Authenticator, as a word
	TypeCustody OptionType = "custody" // something that is lost with its password
	TypeField   OptionType = "field"   // of the dossier
	TypeHeld    OptionType = "backup"  // one that the host of the source before it holds
	TypeTopic   OptionType = "topic"   // of a checklist under the command

	TypeWhen     OptionType = "when"     // a cron expression or plain words, for a rule
	TypeMoment   OptionType = "moment"   // one moment ahead, in plain words
	TypeZone     OptionType = "zone"     // Europe/London
	TypeChannel  OptionType = "channel"  // here, a name from the configuration, slack:C…, a person
	TypePlaces   OptionType = "places"   // several of those, with commas between them
	TypeDuration OptionType = "duration" // 30m, 2h, 1d
	TypeRule     OptionType = "reminder" // the number of a rule
	TypeDue      OptionType = "due"      // something that came due and is open: 12@2026-11-26T09:00
	TypeEither   OptionType = "either"   // a TypeRule or a TypeDue
)

// Option is one thing that a command takes: a positional word, or --name VALUE
// where Flag is set.
type Option struct {
	Name     string
	Type     OptionType
	Summary  string
	Required bool
	Variadic bool // takes all that is left; the last positional only
	Flag     bool
}

// Command is one line of the table. Everything that is said about a command
// comes from here.
type Command struct {
	Group, Name string // "backup", "start"
	Summary     string
	Options     []Option
	Role        keepwatch.Role
	Examples    []string
	Local       bool // makes sense only where the asker sits at this machine
	Card        bool // its answer is the card of a run, for all in the channel to see
	Private     bool // its answer is for the asker's eyes alone, whatever the role
	Public      bool // its answer is for all in the channel to see, though it is no card
	// InPlace: pressed as a button, its answer takes the place of the message, where
	// nobody but the asker sees that: in direct messages with the bot, as it does
	// everywhere in what only one person is shown. So a checklist is one message, and
	// not one for each step.
	InPlace bool
	// Timed: though it is for admins, it may be carried out at a time, when nobody looks
	// at what it does.
	Timed bool
	// Guarded: what people write in it may be a secret by mistake. Where it looks like
	// one, the audit line leaves it out.
	Guarded bool

	aliases []string // other names that are understood
	// shut tells, of the words behind the command, that the answer is for the asker's
	// eyes alone, though it is not always; nil: it never is, or Private says so.
	shut func(words []string) bool
	// arrange puts the words into the order in which they are bound, where people
	// may write them in another one; nil: they are.
	arrange func(c *call, words []string) []string
	// form gives a button that asks in a form for what was left out; nil: there is none.
	form func(c *call) keepwatch.Button
	run  handler
}

// handler carries out a command.
type handler = func(ctx context.Context, c *call) (keepwatch.Message, error)

// named reports whether a word is the command's name.
func (c Command) named(word string) bool {
	same := func(name string) bool { return strings.EqualFold(word, name) }
	return same(c.Name) || slices.ContainsFunc(c.aliases, same)
}

// Title gives "backup start".
func (c Command) Title() string { return strings.TrimSpace(c.Group + " " + c.Name) }

// Usage gives "backup start SOURCE [PART…] [--changes]".
func (c Command) Usage() string {
	words := []string{c.Title()}
	for _, o := range c.Options {
		w := strings.ToUpper(o.Name)
		switch {
		case o.Flag && o.Type == TypeSwitch:
			w = "--" + o.Name
		case o.Flag:
			w = "--" + o.Name + " " + strings.ToUpper(string(o.Type))
		case o.Variadic:
			w += "…"
		}
		if !o.Required {
			w = "[" + w + "]"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

// InPlace reports whether the command that a text asks for is one whose answer takes
// the place of the message that it was pressed in; see Command.InPlace. Front-ends
// ask it about buttons in direct messages.
func InPlace(table []Command, text string) bool {
	cmd, found := commandOf(table, text)
	return found && cmd.InPlace
}

// Public reports whether the answer to what a text asks for is for all in the channel
// to see; see Command.Public. Whoever turns it over to another page does so alone. A
// platform asks it that has to know before the answer is there.
func Public(table []Command, text string) bool {
	cmd, found := commandOf(table, text)
	words, _ := Split(text) // found says that it can be
	return found && cmd.Public && !slices.Contains(words, "--page")
}

// commandOf finds the command that a text asks for.
func commandOf(table []Command, text string) (Command, bool) {
	words, err := Split(text)
	if err != nil || len(words) == 0 {
		return Command{}, false
	}
	words[0] = strings.TrimPrefix(words[0], "/")
	cmd, _, found := find(table, words)
	return cmd, found
}

// option gives a flag by its name.
func (c Command) option(name string) (Option, bool) {
	i := slices.IndexFunc(c.Options, func(o Option) bool { return o.Flag && o.Name == name })
	if i < 0 {
		return Option{}, false
	}
	return c.Options[i], true
}

// args are what was typed for a command's options, by name. A variadic option
// has all its words, a switch has one empty word.
type args map[string][]string

func (a args) one(name string) string {
	if v := a[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (a args) has(name string) bool { _, ok := a[name]; return ok }

// bind sorts words into a command's options. missing is the first required
// option that was not given.
func (c Command) bind(words []string) (got args, missing *Option, err error) {
	got = args{}
	var plain []string
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "--" {
			plain = append(plain, words[i+1:]...)
			break
		}
		name, isFlag := strings.CutPrefix(w, "--")
		if !isFlag {
			plain = append(plain, w)
			continue
		}
		name, value, hasValue := strings.Cut(name, "=")
		o, ok := c.option(name)
		switch {
		case !ok:
			return nil, nil, c.unknownFlag(name)
		case o.Type == TypeSwitch && hasValue:
			return nil, nil, keepwatch.Errorf(keepwatch.KindInvalid, "--%s takes no value.", name)
		case o.Type == TypeSwitch:
			got[name] = []string{""}
			continue
		case !hasValue && i+1 >= len(words):
			return nil, nil, keepwatch.Errorf(keepwatch.KindInvalid, "--%s needs a value: --%s %s.", name, name, strings.ToUpper(string(o.Type)))
		case !hasValue:
			i++
			value = words[i]
		}
		got[name] = []string{value}
	}
	return c.positional(got, plain)
}

// positional gives the words that are no flags to the options that are none.
func (c Command) positional(got args, plain []string) (args, *Option, error) {
	var missing *Option
	for _, o := range c.Options {
		if o.Flag {
			continue
		}
		switch {
		case len(plain) == 0:
			if o.Required && missing == nil {
				missing = &o
			}
		case o.Variadic:
			got[o.Name], plain = plain, nil
		default:
			got[o.Name], plain = plain[:1], plain[1:]
		}
	}
	if len(plain) > 0 {
		return nil, nil, keepwatch.Errorf(keepwatch.KindInvalid, "%q is one word too many; a name with blanks stands in quotes. It is written: %s", plain[0], c.Usage())
	}
	return got, missing, nil
}

func (c Command) unknownFlag(name string) error {
	var flags []string
	for _, o := range c.Options {
		if o.Flag {
			flags = append(flags, o.Name)
		}
	}
	hint := "It takes no options of this kind."
	if near := nearest(name, flags); near != "" {
		hint = "Did you mean --" + near + "?"
	} else if len(flags) > 0 {
		hint = "There are: --" + strings.Join(flags, ", --") + "."
	}
	return keepwatch.Errorf(keepwatch.KindInvalid, "%s has no option --%s. %s", c.Title(), name, hint)
}

// nearest gives the candidate that word was most likely meant to be, or "".
func nearest(word string, candidates []string) string {
	best, bestAt := "", len([]rune(word))/3+2
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestAt {
			best, bestAt = c, d
		}
	}
	return best
}

// distance is Damerau's and Levenshtein's (optimal string alignment): how many
// letters to insert, remove, change or swap with their neighbour.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range y {
		rows[0][j+1] = j + 1
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(x)][len(y)]
}

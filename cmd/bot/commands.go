package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"

	"keepwatch"
	"keepwatch/handlers/console"
	"keepwatch/store"
	"keepwatch/store/bolt"
	"keepwatch/vault"
)

// dispatch carries out the word after the flags, or opens the chat.
func dispatch(ctx context.Context, p process, o options, words []string) error {
	word := strings.Join(words[:min(len(words), 2)], " ")
	switch {
	case len(words) == 0 && !o.given["c"]:
		return serveOrChat(ctx, p, o)
	case len(words) == 0:
		return chat(ctx, p, o)
	case o.given["c"]:
		return usageError(fmt.Sprintf("-c takes one line; %q behind it is too much. Put the whole line into quotes.", words[0]))
	case words[0] == "chat" && len(words) == 1:
		return chat(ctx, p, o)
	case words[0] == "serve" && len(words) == 1:
		return serve(ctx, p, o)
	case words[0] == "manifest" && (len(words) == 2 || len(words) == 3):
		return manifestCommand(p, o, words[1:])
	case words[0] == "check" && len(words) == 1:
		return checkCommand(ctx, p, o)
	case words[0] == "open" && len(words) == 3:
		return openCommand(ctx, p, o, words[1], words[2])
	case word == "state backup" && len(words) == 3:
		return stateBackupCommand(ctx, p, o, words[2])
	case word == "key new" && len(words) == 2:
		return keyCommand(p, o, "bot key new", newKey)
	case word == "key accept" && len(words) == 2:
		return keyCommand(p, o, "bot key accept", acceptKey)
	case words[0] == "version" && len(words) == 1:
		fmt.Fprintln(p.Out, "Keepwatch", version())
		return nil
	case words[0] == "help" && len(words) == 1:
		fmt.Fprint(p.Out, usage)
		return nil
	case words[0] == "open":
		return usageError("It is written: bot open ARCHIVE_DIR DEST")
	case words[0] == "key":
		return usageError("It is written: bot key new, or bot key accept")
	case words[0] == "manifest":
		return usageError("It is written: bot manifest slack [BASE-URL], or bot manifest discord")
	case words[0] == "state":
		return usageError("It is written: bot state backup FILE")
	}
	return usageError(fmt.Sprintf("There is no %q.", strings.Join(words, " ")))
}

// serveOrChat connects to the platforms that are configured; with none it opens
// the terminal chat.
func serveOrChat(ctx context.Context, p process, o options) error {
	s, err := loadSettings(p, o)
	if err != nil {
		return err
	}
	if len(s.platforms()) > 0 {
		return serve(ctx, p, o)
	}
	return chat(ctx, p, o)
}

// version says which version this is, from the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			v += " " + s.Value[:12]
		}
	}
	return v
}

// chat runs the bot: the terminal chat, piped lines, or one line.
func chat(ctx context.Context, p process, o options) (err error) {
	s, err := loadSettings(p, o)
	if err != nil {
		return err
	}
	var to redirected
	to.set(p.Err)
	log, err := newLog(&to, s.LogLevel, true)
	if err != nil {
		return err
	}
	for _, w := range s.warnings() {
		log.Warn(w)
	}
	a, err := openApp(p, s, log)
	if keepwatch.KindOf(err) == keepwatch.KindConflict {
		if r, ok := reach(ctx, s, log); ok { // it has the state, and carries out what is typed here
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			welcome := "Keepwatch runs already, and this terminal talks to it. /keepwatch help shows what there is; Tab completes; exit leaves, and Keepwatch runs on."
			if open := r.stillOpen(ctx); open != "" {
				welcome += "\n" + open
			}
			return talk(ctx, p, o, s, &to, func(c *console.Console) func() {
				go func() {
					if r.outlive(ctx) {
						_ = c.Post(ctx, orphaned()) // where the chat is over, nobody needs it
					}
				}()
				return stop
			}, console.Config{Chat: r, Follower: r, Elsewhere: true, Account: terminalAccount(), Log: log, Now: p.Now, Welcome: welcome})
		}
	}
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer func() { stop(); err = errors.Join(err, a.close()) }()
	left, err := a.start(ctx)
	if err != nil {
		return err
	}
	if _, dumb := plainTerminal(s.env); !o.given["c"] && console.New(console.Config{In: p.In, Out: p.Out, Dumb: dumb}).Interactive() { // somebody is there to be reminded
		if err := a.connect(ctx); err != nil {
			return err
		}
	}
	return talk(ctx, p, o, s, &to, a.terminal.openFor, console.Config{Chat: a.router, Follower: a.engine, Left: left, Account: a.account, Welcome: a.welcome(), Log: a.log, Now: a.now})
}

// redirected is where the log goes: to stderr, and above the prompt of the chat
// while there is one.
type redirected struct {
	mu sync.Mutex
	to io.Writer
}

func (r *redirected) set(to io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

// Write writes a line of the log.
func (r *redirected) Write(p []byte) (int, error) {
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	return to.Write(p)
}

// talk runs the console until it ends. with says what it talks to; opened is told of a
// chat, in which it may show what comes by itself until what it gives is called.
func talk(ctx context.Context, p process, o options, s settings, log *redirected, opened func(*console.Console) (end func()), with console.Config) error {
	with.In, with.Out, with.Err, with.Location = p.In, p.Out, p.Err, s.Location
	with.Plain, with.Dumb = plainTerminal(s.env)
	with.History = filepath.Join(s.DataDir, "history")
	with.Keep = s.keepFile
	left := with.Left
	c := console.New(with)
	log.set(c.Stderr())
	if !o.given["c"] && c.Interactive() { // elsewhere nobody would ever take what is posted
		defer opened(c)()
	}
	var failed, leftFailed bool
	var err error
	switch {
	case o.given["c"]:
		failed, err = c.Line(ctx, o.Line)
	default:
		failed, err = c.Run(ctx)
	}
	if err == nil && (o.given["c"] || !c.Interactive()) {
		leftFailed, err = c.Await(ctx, left)
	}
	if err != nil {
		return err
	}
	if failed || leftFailed {
		return errFailed
	}
	return nil
}

// welcome is what the chat begins with.
func (a *app) welcome() string {
	text := "Keepwatch. /keepwatch help shows what there is; Tab completes; exit leaves."
	if !a.onDuty() {
		text += "\nReminders, schedules and warnings rest until Keepwatch is connected to its platforms again: bot serve."
	}
	if a.key.Made {
		text += "\nThis is the first start. The key to all archives is " + relative(a.settings.keyPath()) + ": keep a copy elsewhere, or they can never be opened."
	}
	if a.key.Lost != nil {
		text += "\n" + keepwatch.Sentence(a.key.Lost)
	}
	if open := a.stillOpen(); open != "" {
		text += "\n" + open
	}
	return text
}

func checkCommand(ctx context.Context, p process, o options) error {
	bad, columns := false, 0
	if out, ok := p.Out.(*os.File); ok {
		if w, _, err := term.GetSize(int(out.Fd())); err == nil {
			columns = w
		}
	}
	for _, probe := range checkAll(ctx, p, o) {
		fmt.Fprint(p.Out, probeLines(probe, columns))
		bad = bad || probe.Status == keepwatch.ProbeBad
	}
	if bad {
		return errFailed
	}
	return nil
}

// probeLines writes a probe as one line, or, on a terminal, as lines that are
// broken between words and no wider than it has columns; 0: they are not broken.
func probeLines(probe keepwatch.Probe, columns int) string {
	const margin = 30 // of the two columns before the text
	text := probe.Text
	if probe.Next != "" {
		text += " → " + probe.Next
	}
	head := fmt.Sprintf("%-8s %-20s ", probe.Status, keepwatch.Printable(probe.Name))
	if columns <= margin+20 {
		return strings.TrimRight(head+keepwatch.Printable(text), " ") + "\n"
	}
	var b strings.Builder
	b.WriteString(head)
	at, begins := utf8.RuneCountInString(head), true
	for word := range strings.FieldsSeq(keepwatch.Printable(text)) {
		n := utf8.RuneCountInString(word)
		switch {
		case !begins && at+1+n >= columns:
			b.WriteString("\n" + strings.Repeat(" ", margin))
			at = margin
		case !begins:
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at, begins = at+n, false
	}
	return b.String() + "\n"
}

// openCommand decrypts and unpacks one archive with nothing but its folder and
// the key.
func openCommand(ctx context.Context, p process, o options, dir, dest string) error {
	key := o.Identity
	var own vault.Own
	s, err := loadSettings(p, o)
	switch {
	case err == nil:
		own = s.own()
		key = cmp.Or(key, s.keyPath())
	case key == "": // with a key of one's own no settings are needed
		return err
	}
	folder, err := vault.OpenFolder(dir, key, own)
	if err != nil {
		return err
	}
	to, err := filepath.Abs(dest)
	if err != nil {
		return err
	}
	run := keepwatch.Run{ID: rand.Int64(), Created: p.Now(), Kind: keepwatch.RunRestore, Ask: keepwatch.Ask{To: to}}
	result, err := folder.Extract(ctx, run, func(keepwatch.Progress) {})
	for _, f := range result.Findings {
		fmt.Fprintln(p.Err, "✗ "+f.Text)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "%s (%s) unpacked to %s; every file has the SHA-256 that it had on the day of the backup.\n",
		keepwatch.FormatCount(result.Items, "item"), keepwatch.FormatBytes(result.Bytes), to)
	return nil
}

func stateBackupCommand(ctx context.Context, p process, o options, file string) error {
	s, err := loadSettings(p, o)
	if err != nil {
		return err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	size, err := backUpState(ctx, s, to)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "The state was copied to %s (%s) and checked.\n", to, keepwatch.FormatBytes(size))
	return nil
}

// keyCommand changes the key that archives are sealed to, and leaves a line in the
// audit.
func keyCommand(p process, o options, text string, change func(s settings, kept facts) (said string, err error)) (err error) {
	s, err := loadSettings(p, o)
	if err != nil {
		return err
	}
	state, err := bolt.Open(bolt.Config{Path: s.statePath()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	records := store.NewRecords(state, p.Now)
	var said string
	err = audit{records, p.Now}.request(text, func() (err error) { said, err = change(s, records); return err })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.Out, said)
	return err
}

// newKey makes a key where the old one is lost for good.
func newKey(s settings, kept facts) (said string, err error) {
	recipient, err := makeKey(s.keyPath(), kept)
	return fmt.Sprintf("A new key was made: %s (public key %s).\nKeep a copy of that file elsewhere. Archives that were sealed to another key do not open with it.", s.keyPath(), recipient), err
}

// acceptKey takes a key file that was replaced as the one that is meant.
func acceptKey(s settings, kept facts) (said string, err error) {
	if len(s.Vault.Recipients) > 0 {
		return "", keepwatch.Errorf(keepwatch.KindConflict, "Archives are sealed to the recipients of %s; the bot needs no key of its own.", s.ConfigFile)
	}
	v, err := vault.Open(vault.Config{Dir: s.Vault.Dir, IdentityFile: s.keyPath(), Look: true})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("From now on archives are sealed to the key in %s (public key %s).\nKeep a copy of that file elsewhere. Archives that were sealed to another key do not open with it.", s.keyPath(), strings.Join(v.Recipients(), ", ")), remember(kept, v.Recipients())
}

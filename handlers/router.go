// Package handlers turns what people ask for into work, and what comes of it
// into messages. It knows no platform: a front-end makes a [keepwatch.Request]
// of what arrived, the [Router] answers with a [keepwatch.Message], and the
// front-end renders that.
//
// Every request, typed or clicked, takes the same way: account → person → role
// → audit line → command → audit line completed. One table of commands ([Command])
// gives help, completion, usage and the registration with platforms.
package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// Runs starts, stops and shows runs.
type Runs interface {
	Start(ctx context.Context, run keepwatch.Run) (keepwatch.Run, error)
	Cancel(ctx context.Context, id int64, by, reason string) (keepwatch.Run, error)
	Retry(ctx context.Context, id int64, by string) (keepwatch.Run, error)
	Run(id int64) (keepwatch.Run, error)
}

// Sources knows what can be backed up.
type Sources interface {
	Sources() ([]keepwatch.Source, error)
	Source(name string) (keepwatch.Source, error)
	// AddPath gives the source of a path on this machine, made where there is none.
	AddPath(path string) (keepwatch.Source, error)
	// Forget takes the source of a path off the list.
	Forget(name string) error
}

// History reads what was done and what came of it.
type History interface {
	RecentRuns(source string, limit int) ([]keepwatch.Run, error)
	OpenRuns() ([]keepwatch.Run, error)
	Archives(source string) ([]keepwatch.Archive, error)
	UpdateArchive(ref string, change func(*keepwatch.Archive) error) (keepwatch.Archive, error)
	// Confirmed gives the retention rules that somebody has confirmed for a source.
	Confirmed(source string) (string, error)
}

// Audit keeps the lines that requests leave.
type Audit interface {
	BeginAudit(e keepwatch.AuditEntry) error
	EndAudit(e keepwatch.AuditEntry) error
	Audits(f keepwatch.AuditFilter) ([]keepwatch.AuditEntry, error)
}

// Vault looks into archives.
type Vault interface {
	Contents(ctx context.Context, ref string, entry func(keepwatch.Entry) error, note func(keepwatch.Note) error) error
	PlanExtract(ctx context.Context, ref string, ask keepwatch.Ask) (keepwatch.RestorePlan, error)
	Path(ref string) string
	// Missing says what of an archive does not lie where it should; "" is nothing.
	Missing(a keepwatch.Archive) string
}

// Config is what a Router needs.
type Config struct {
	People    []keepwatch.Person
	Groups    []keepwatch.Group
	Runs      Runs
	Sources   Sources
	History   History
	Audit     Audit
	Vault     Vault
	Mailboxes Mailboxes // nil: nobody looks into Outlook data files
	Index     MailIndex // nil: nobody looks into the indexes of archives of mailboxes
	Check     func(ctx context.Context) []keepwatch.Probe
	Duties    Duties
	Keep      keepwatch.Keep
	Location  *time.Location // nil: UTC
	KeyFile   string         // the bot's own key, for the text on how to open an archive; "" where it has none
	RestoreTo string         // folder for restores that name no place
	Version   string
	Log       *slog.Logger // nil: silent
	Now       func() time.Time
}

// Router answers requests. Its methods may be called from any goroutine.
type Router struct {
	cfg      Config
	commands []Command
}

// New makes a Router.
func New(cfg Config) (*Router, error) {
	if cfg.Runs == nil || cfg.Sources == nil || cfg.History == nil || cfg.Audit == nil || cfg.Vault == nil || cfg.Check == nil {
		return nil, errors.New("handlers: a Config that lacks one of its parts")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	r := &Router{cfg: cfg}
	r.commands = r.table()
	return r, nil
}

// Table gives every command without what carries it out, for those who describe
// it to a platform before there is a Router.
func Table() []Command {
	return (&Router{}).table()
}

// table puts the groups of commands together, in the order of the help.
func (r *Router) table() []Command {
	return slices.Concat(r.backupCommands(), r.archiveCommands(), r.rotationCommands(), r.authenticatorCommands(), r.guideCommands(), r.reminderCommands(), r.warningCommands(), r.reportCommands(), r.keepwatchCommands(), r.stepCommands())
}

// Commands gives the table, for those who register it with a platform.
func (r *Router) Commands() []Command { return slices.Clone(r.commands) }

// call is a command that is carried out.
type call struct {
	req    keepwatch.Request
	person keepwatch.Person
	cmd    Command
	args   args
	audit  *keepwatch.AuditEntry
}

// Handle answers a request. It always gives a message, whatever happens.
func (r *Router) Handle(ctx context.Context, req keepwatch.Request) keepwatch.Message {
	if req.ID == "" {
		req.ID = NewID()
	}
	if req.At.IsZero() {
		req.At = r.cfg.Now()
	}
	entry := r.Entry(req)
	if err := r.cfg.Audit.BeginAudit(entry); err != nil {
		r.cfg.Log.Error("a request could not be recorded, so it was not carried out", "request", req.ID, "err", err)
		return r.failure(req, keepwatch.Errorf(keepwatch.KindAttention, "Your request could not be recorded, so nothing was done. Is the disk of the state full?").Because(err))
	}
	msg := r.Answer(ctx, req, &entry)
	if err := r.cfg.Audit.EndAudit(entry); err != nil {
		r.cfg.Log.Error("the outcome of a request could not be recorded", "request", req.ID, "err", err)
	}
	return msg
}

// Entry gives the audit line of a request as it stands before it acts. The
// request has its ID and time.
func (r *Router) Entry(req keepwatch.Request) keepwatch.AuditEntry {
	person, _ := r.person(req)
	return keepwatch.AuditEntry{ID: req.ID, At: req.At.UTC(), Person: person.Name, Account: req.Account, Channel: req.Channel, Text: clip(r.guarded(req)), Source: r.about(req), Outcome: keepwatch.OutcomeStarted}
}

// Answer carries out a request whose audit line is saved, and completes the
// line, which the caller saves. It always gives a message, whatever happens.
func (r *Router) Answer(ctx context.Context, req keepwatch.Request, entry *keepwatch.AuditEntry) keepwatch.Message {
	start := r.cfg.Now()
	var msg keepwatch.Message
	var err error
	if person, known := r.person(req); known {
		msg, err = r.answer(ctx, req, person, entry)
	} else {
		err = r.stranger(req)
	}
	if err != nil {
		msg = r.failure(req, err)
	}
	entry.Outcome, entry.Duration = outcome(err, msg), max(0, r.cfg.Now().Sub(start))
	if err != nil {
		entry.Message = keepwatch.Sentence(err)
		if entry.Message != "" && r.guarded(req) != req.Text {
			entry.Message = withheld // it may repeat what was written
		}
	}
	return msg
}

// clip keeps a text that is too long from filling the audit.
func clip(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// person finds out whose account it is, and what that person may do: what the
// YAML says, or a group of the platform that the account is in, whichever is
// more. The name that a platform shows decides nothing.
func (r *Router) person(req keepwatch.Request) (keepwatch.Person, bool) {
	a, role := req.Account, keepwatch.RoleNone
	if a == keepwatch.ConfigAccount() && req.Due != "" {
		return keepwatch.ConfigPerson(), true
	}
	for _, g := range r.cfg.Groups {
		if slices.Contains(req.Groups, g.ID) {
			role = max(role, g.Role)
		}
	}
	for _, p := range r.cfg.People {
		if id, ok := p.Accounts[a.Platform]; ok && id == a.ID && a.ID != "" {
			p.Role = max(p.Role, role)
			return p, true
		}
	}
	if role == keepwatch.RoleNone || a.ID == "" {
		return keepwatch.Person{}, false
	}
	return keepwatch.Person{Name: a.Platform + ":" + a.ID, Role: role, Accounts: map[string]string{a.Platform: a.ID}}, true
}

// command finds the command that a request asks for.
func (r *Router) command(req keepwatch.Request) (Command, bool) {
	return commandOf(r.commands, req.Text)
}

// private reports whether what a request asks for is for the asker's eyes alone,
// because only admins may see it, or each their own.
func (r *Router) private(req keepwatch.Request) bool {
	words, err := Split(req.Text)
	if err != nil || len(words) == 0 {
		return false
	}
	words[0] = strings.TrimPrefix(words[0], "/")
	cmd, rest, found := r.find(words)
	return found && (cmd.Role >= keepwatch.RoleAdmin || cmd.Private || cmd.shut != nil && cmd.shut(rest))
}

// stranger says whom to ask, and what for. What is due is told to others than whoever
// made its rule.
func (r *Router) stranger(req keepwatch.Request) error {
	account := req.Account
	if req.Due != "" {
		return keepwatch.Errorf(keepwatch.KindDenied, "Whoever made this reminder (%s: %s) is not in keepwatch.yaml any more, and a command is carried out with the rights of whoever made it. Ask %s to add the account, or make the reminder anew and remove this one.",
			account.Platform, account.ID, r.admins(account.Platform))
	}
	yours := "your account"
	if account.ID != "" {
		yours += " (" + account.Platform + ": " + account.ID + ")"
	}
	return keepwatch.Errorf(keepwatch.KindDenied, "I do not know you yet. Ask %s to add %s to keepwatch.yaml.", r.admins(account.Platform), yours)
}

// admins names whom to ask: the admins who are on the same platform, and
// otherwise any.
func (r *Router) admins(platform string) string {
	var near, far []string
	for _, p := range r.cfg.People {
		if p.Role != keepwatch.RoleAdmin {
			continue
		}
		if far = append(far, p.Name); p.Accounts[platform] != "" {
			near = append(near, p.Name)
		}
	}
	switch {
	case len(near) > 0:
		return strings.Join(near, " or ")
	case len(far) > 0:
		return strings.Join(far, " or ")
	}
	return "an admin of Keepwatch"
}

// answer finds the command and carries it out.
func (r *Router) answer(ctx context.Context, req keepwatch.Request, person keepwatch.Person, entry *keepwatch.AuditEntry) (msg keepwatch.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.cfg.Log.Error("a command broke off", "request", req.ID, "text", r.guarded(req), "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("a command panicked: %v", p)
		}
	}()
	words, err := Split(req.Text)
	if err != nil {
		return msg, err
	}
	if len(words) > 0 {
		words[0] = strings.TrimPrefix(words[0], "/")
	}
	if !req.Local {
		var page int
		if words, page, err = takePage(words); err != nil {
			return msg, err
		}
		defer func() { msg = paged(msg, words, page) }()
	}
	cmd, rest, found := r.find(words)
	if !found {
		return r.unknown(words, person, req)
	}
	if entry.Source == "" {
		entry.Source = r.aboutRun(cmd, rest)
	}
	if person.Role < cmd.Role && req.Due != "" {
		return msg, keepwatch.Errorf(keepwatch.KindDenied, "%s needs the role %s or above, and that of %s, who made this reminder, is %s now. Ask %s to give it back, or make the reminder anew and remove this one.", cmd.Title(), cmd.Role, person.Name, person.Role, r.admins(req.Account.Platform))
	}
	if person.Role < cmd.Role {
		return msg, keepwatch.Errorf(keepwatch.KindDenied, "%s needs the role %s or above; yours is %s. Ask %s.", cmd.Title(), cmd.Role, person.Role, r.admins(req.Account.Platform))
	}
	if cmd.Local && !req.Local {
		return msg, keepwatch.Errorf(keepwatch.KindDenied, "%s works only in the terminal of the machine that runs Keepwatch.", cmd.Title())
	}
	if req.Due != "" && cmd.shut != nil && cmd.shut(rest) { // nobody asks, so there is nobody whose eyes it is for
		return msg, keepwatch.Errorf(keepwatch.KindDenied, "What /%s shows of the inside of an archive is for the eyes of whoever asks alone, and nobody asks when a reminder comes due. Have the reminder say in words that it is time to look.", cmd.Title())
	}
	c := &call{req: req, person: person, cmd: cmd, audit: entry}
	if cmd.arrange != nil {
		rest = cmd.arrange(c, rest)
	}
	var missing *Option
	if c.args, missing, err = cmd.bind(rest); err != nil {
		return msg, err
	}
	if missing != nil {
		return r.askFor(c, *missing)
	}
	return cmd.run(ctx, c)
}

// find takes the command off the front of the words. A group's own name may be
// left out where a command's name is enough ("help", "exit").
func (r *Router) find(words []string) (Command, []string, bool) { return find(r.commands, words) }

func find(table []Command, words []string) (Command, []string, bool) {
	if len(words) == 0 {
		words = []string{"help"}
	}
	for _, c := range table {
		if len(words) > 1 && strings.EqualFold(words[0], c.Group) && c.named(words[1]) {
			return c, words[2:], true
		}
	}
	for _, c := range table {
		if c.Group == "keepwatch" && strings.EqualFold(words[0], c.Name) {
			return c, words[1:], true
		}
	}
	if len(words) == 1 && slices.ContainsFunc(table, func(c Command) bool { return strings.EqualFold(words[0], c.Group) }) {
		help, _, _ := find(table, []string{"keepwatch", "help"})
		return help, []string{strings.ToLower(words[0])}, true
	}
	return Command{}, nil, false
}

// unknown answers words that are no command: with what was probably meant.
func (r *Router) unknown(words []string, person keepwatch.Person, req keepwatch.Request) (keepwatch.Message, error) {
	typed := strings.Join(words[:min(2, len(words))], " ")
	var titles []string
	for _, c := range r.commands {
		if person.Role >= c.Role && (req.Local || !c.Local) {
			titles = append(titles, c.Title())
			if c.Group == "keepwatch" {
				titles = append(titles, c.Name)
			}
			if len(words) == 1 && !slices.Contains(titles, c.Group) {
				titles = append(titles, c.Group)
			}
		}
	}
	near := ""
	for _, c := range r.commands { // "start notes" for "backup start notes"
		if strings.EqualFold(words[0], c.Name) && person.Role >= c.Role && (req.Local || !c.Local) {
			near = c.Title()
			break
		}
	}
	if near != "" {
		group, _, _ := strings.Cut(near, " ")
		words = append([]string{group}, words...)
	} else {
		near = nearest(typed, titles)
	}
	msg := keepwatch.Message{Title: fmt.Sprintf("There is no command %q", typed), Tone: keepwatch.ToneWarn, Refused: keepwatch.KindNotFound, Failed: true}
	if near == "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The help lists what there is."))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Help", Command: "keepwatch help"})
		return msg, nil
	}
	corrected := near
	if !strings.Contains(corrected, " ") && slices.ContainsFunc(r.commands, func(c Command) bool { return c.Group == "keepwatch" && c.Name == corrected }) {
		corrected = "keepwatch " + corrected // as it is written everywhere
	}
	if rest := words[min(2, len(words)):]; len(rest) > 0 && !secretAmong(rest) {
		corrected += " " + Quote(rest...)
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("Did you mean this?"), keepwatch.Code("/"+corrected))
	msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Yes", Command: corrected, Style: keepwatch.StylePrimary})
	if corrected != "keepwatch help" {
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Help", Command: "keepwatch help"})
	}
	return msg, nil
}

// failure makes a message of an error. An internal cause is never shown: it is
// logged under the request's number.
func (r *Router) failure(req keepwatch.Request, err error) keepwatch.Message {
	kind := keepwatch.KindOf(err)
	text := keepwatch.Sentence(err)
	if text == "" || kind == keepwatch.KindInternal {
		r.cfg.Log.Error("a request failed", "request", req.ID, "text", r.guarded(req), "err", err)
		text = fmt.Sprintf("Something went wrong inside Keepwatch. Nothing more is known here; an admin finds the cause in the log under request %s.", req.ID)
	}
	titles := map[keepwatch.Kind]string{
		keepwatch.KindInvalid: "That cannot be done as it stands", keepwatch.KindDenied: "Not allowed", keepwatch.KindNotFound: "Not found",
		keepwatch.KindConflict: "Not now", keepwatch.KindAttention: "Something needs you first", keepwatch.KindTransient: "Not just now", keepwatch.KindCancelled: "Stopped",
	}
	title, ok := titles[kind]
	if !ok {
		title = "Something went wrong"
	}
	msg := keepwatch.Message{Title: title, Tone: keepwatch.ToneBad, Refused: kind, Failed: true, Blocks: []keepwatch.Block{keepwatch.Text(text)}}
	if kind == keepwatch.KindInvalid || kind == keepwatch.KindNotFound || kind == keepwatch.KindConflict {
		msg.Tone = keepwatch.ToneWarn
	}
	var h hinted
	if errors.As(err, &h) {
		msg.Buttons = h.buttons
	}
	return msg
}

// hinted is an error with buttons that lead on.
type hinted struct {
	error
	buttons []keepwatch.Button
}

func (h hinted) Unwrap() error { return h.error }

func outcome(err error, msg keepwatch.Message) keepwatch.Outcome {
	switch kind := keepwatch.KindOf(err); {
	case err == nil && msg.Failed && msg.Refused != keepwatch.KindInternal: // a check that found something was carried out
		return keepwatch.OutcomeRefused
	case err == nil:
		return keepwatch.OutcomeDone
	case kind == keepwatch.KindDenied:
		return keepwatch.OutcomeDenied
	case kind == keepwatch.KindInvalid || kind == keepwatch.KindNotFound || kind == keepwatch.KindConflict:
		return keepwatch.OutcomeRefused
	}
	return keepwatch.OutcomeFailed
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// variable is one that Keepwatch knows. .env.example is made from this table.
type variable struct {
	Name    string
	Secret  bool // also read from the file that NAME_FILE names
	Default string
	Comment string
}

// variables are all of them, in the order of .env.example.
func variables() []variable {
	return []variable{
		{Name: "BOT_CONFIG", Default: "keepwatch.yaml", Comment: "what to keep and whom to ask; the flag --config wins"},
		{Name: "BOT_DATA_DIR", Default: "data", Comment: "where the state, the key and the vault lie; the flag --data-dir wins"},
		{Name: "BOT_STORE", Default: "bolt", Comment: "where the state is kept: bolt, one file in the data folder"},
		{Name: "BOT_LISTEN", Comment: "address for /healthz, /readyz, /metrics and what Slack and Discord send over HTTP,\n# such as 127.0.0.1:8080; empty: nothing listens"},
		{Name: "BOT_TIMEZONE", Comment: "time zone where keepwatch.yaml names none, such as Europe/London; empty: the system's"},
		{Name: "BOT_LOG_LEVEL", Default: "info", Comment: "debug, info, warn or error; in the terminal chat the default is error"},
		{Name: "SLACK_BOT_TOKEN", Secret: true, Comment: "Slack: the bot's token, xoxb-…; where it is set, the bot connects to Slack (docs/slack.md)"},
		{Name: "SLACK_APP_TOKEN", Secret: true, Comment: "Slack by Socket Mode, which needs no address on the internet: the app's token, xapp-…"},
		{Name: "SLACK_SIGNING_SECRET", Secret: true, Comment: "Slack over HTTP, where there is no app token: the signing secret"},
		{Name: "SLACK_API_URL", Comment: "Slack: another address of the API, with its path (https://slack.com/api/), for proxies and\n# tests; all traffic goes there, the socket too"},
		{Name: "DISCORD_BOT_TOKEN", Secret: true, Comment: "Discord: the bot's token; where it is set, the bot connects to Discord (docs/discord.md)"},
		{Name: "DISCORD_GUILD_ID", Comment: "Discord: the number of the one server that the commands are registered in; empty: in all\n# that the bot is in"},
		{Name: "DISCORD_PUBLIC_KEY", Comment: "Discord over HTTP, for commands, buttons and forms: the application's public key"},
		{Name: "DISCORD_API_URL", Comment: "Discord: another scheme and host for all traffic, for proxies and tests; the gateway too"},
		{Name: "MICROSOFT_TENANT_ID", Comment: "Microsoft 365: the tenant's id, or one of its domains"},
		{Name: "MICROSOFT_CLIENT_ID", Comment: "Microsoft 365: the app registration's id"},
		{Name: "MICROSOFT_CLIENT_SECRET", Secret: true, Comment: "Microsoft 365: its secret; or the certificate below"},
		{Name: "MICROSOFT_CLIENT_CERTIFICATE", Secret: true, Comment: "Microsoft 365: its certificate and key, as PEM or the path of a PEM file"},
		{Name: "MICROSOFT_GRAPH_URL", Comment: "Microsoft 365: another address of Graph with its version, for national clouds and tests\n# (https://graph.microsoft.com/v1.0)"},
		{Name: "MICROSOFT_LOGIN_URL", Comment: "Microsoft 365: another address to sign in at"},
	}
}

// environment is what the variables are set to: the process's own first, then
// the .env file's.
type environment struct {
	values   map[string]string
	inFile   map[string]bool // those that the .env file sets, and not to nothing
	warnings []string
}

func (e environment) lookup(name string) (string, bool) { v, ok := e.values[name]; return v, ok }

// get gives a variable, or its default.
func (e environment) get(name string) string {
	if v := e.values[name]; v != "" {
		return v
	}
	for _, v := range variables() {
		if v.Name == name {
			return v.Default
		}
	}
	return ""
}

// ourPrefixes are those of our variables: one that begins so and is not known is
// a slip of the pen.
var ourPrefixes = []string{"BOT_", "SLACK_", "DISCORD_", "MICROSOFT_"}

// readEnv reads the process's environment ("NAME=value") and the .env file. A
// missing file is none, unless it was named.
func readEnv(process []string, file string, named bool) (environment, error) {
	e := environment{values: map[string]string{}}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		data, err = nil, nil
	}
	if err != nil {
		return e, keepwatch.Errorf(keepwatch.KindInvalid, "The file %s cannot be read: %v.", file, errors.Unwrap(err)).Because(err)
	}
	problems := e.parseFile(file, data)
	e.inFile = map[string]bool{}
	for name, value := range e.values {
		e.inFile[name] = value != ""
	}
	for _, kv := range process {
		if name, value, ok := strings.Cut(kv, "="); ok {
			e.values[name] = value
			// a slip there may be another program's variable, so it stops nothing
			if hint := misspelt(name); hint != "" {
				e.warnings = append(e.warnings, fmt.Sprintf("The environment sets %s, which is not known.%s", name, hint))
			}
		}
	}
	problems = append(problems, e.secretFiles()...)
	problems = append(problems, e.wrongValues()...)
	if len(problems) > 0 {
		return e, keepwatch.Errorf(keepwatch.KindInvalid, "%s", strings.Join(problems, "\n"))
	}
	return e, nil
}

// openFile warns where others can read a .env file that holds a secret: one of our
// variables, or one that the configuration refers to where a secret belongs.
func (e environment) openFile(file string, referred []string) []string {
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm()&0o044 == 0 {
		return nil
	}
	names := slices.Clone(referred)
	for _, v := range variables() {
		if v.Secret {
			names = append(names, v.Name)
		}
	}
	if i := slices.IndexFunc(names, func(name string) bool { return e.inFile[name] }); i >= 0 {
		return []string{fmt.Sprintf("Others on this machine can read %s, which holds %s. Run: chmod 600 %s", file, names[i], file)}
	}
	return nil
}

// parseFile reads NAME=value lines: an "export " before them, quotes ("…" with
// \n, \" and \\, '…' as it stands) and comments are understood; nothing is
// expanded.
func (e environment) parseFile(file string, data []byte) (problems []string) {
	bad := func(line int, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s:%d: %s", file, line, fmt.Sprintf(format, args...)))
	}
	for i, line := range bytes.Split(bytes.TrimPrefix(data, []byte("\uFEFF")), []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(text, "export "), "=")
		name = strings.TrimSpace(name)
		if !ok || !validVariable(name) {
			bad(i+1, "expected NAME=value.")
			continue
		}
		value, err := unquote(strings.TrimSpace(value))
		if err != nil {
			bad(i+1, "the value of %s %v.", name, err)
			continue
		}
		if _, twice := e.values[name]; twice {
			bad(i+1, "%s is there twice.", name)
		}
		if hint := misspelt(name); hint != "" {
			bad(i+1, "%s is not known.%s", name, hint)
		}
		e.values[name] = value
	}
	return problems
}

func validVariable(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// misspelt gives a hint for a name that begins like ours and is none, or "".
func misspelt(name string) string {
	var known []string
	for _, v := range variables() {
		known = append(known, v.Name)
		if v.Secret {
			known = append(known, v.Name+"_FILE")
		}
	}
	ours := slices.ContainsFunc(ourPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	if !ours || slices.Contains(known, name) {
		return ""
	}
	if near := closest(name, known); near != "" {
		return " Did you mean " + near + "?"
	}
	return " The file .env.example lists what there is."
}

// unquote takes a value out of its quotes. Outside of quotes a " #" begins a
// comment.
func unquote(v string) (string, error) {
	switch {
	case v == "":
		return "", nil
	case v[0] == '\'':
		end := strings.IndexByte(v[1:], '\'')
		if end < 0 {
			return "", errors.New("begins with a quote that is not closed")
		}
		return v[1 : 1+end], behind(v[2+end:])
	case v[0] != '"':
		if at := strings.Index(v, " #"); at >= 0 {
			v = strings.TrimSpace(v[:at])
		}
		return v, nil
	}
	var b strings.Builder
	for i := 1; i < len(v); i++ {
		switch {
		case v[i] == '"':
			return b.String(), behind(v[i+1:])
		case v[i] == '\\' && i+1 < len(v):
			i++
			if v[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(v[i])
			}
		default:
			b.WriteByte(v[i])
		}
	}
	return "", errors.New("begins with a quote that is not closed")
}

// behind allows nothing but a comment behind a quoted value.
func behind(rest string) error {
	if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
		return errors.New("goes on behind its closing quote")
	}
	return nil
}

// secretFiles reads the secrets that NAME_FILE variables name.
func (e *environment) secretFiles() (problems []string) {
	for _, v := range variables() {
		file := e.values[v.Name+"_FILE"]
		if !v.Secret || file == "" {
			continue
		}
		if e.values[v.Name] != "" {
			problems = append(problems, fmt.Sprintf("%s and %s_FILE are both set; set one.", v.Name, v.Name))
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s_FILE names %s, which cannot be read: %v.", v.Name, file, errors.Unwrap(err)))
			continue
		}
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o044 != 0 {
			e.warnings = append(e.warnings, fmt.Sprintf("Others on this machine can read %s, which holds %s. Run: chmod 600 %s", file, v.Name, file))
		}
		e.values[v.Name] = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	}
	return problems
}

// wrongValues looks at the variables whose values can be told to be wrong.
func (e environment) wrongValues() (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if v := e.get("BOT_STORE"); v != "bolt" {
		bad("BOT_STORE is %q; this version keeps its state in bolt only.", v)
	}
	if v := e.values["BOT_LISTEN"]; v != "" && !validAddress(v) {
		bad("BOT_LISTEN is %q; expected an address and a port, such as 127.0.0.1:8080.", v)
	}
	if v := e.values["BOT_LOG_LEVEL"]; v != "" && new(slog.Level).UnmarshalText([]byte(v)) != nil {
		bad("BOT_LOG_LEVEL is %q; expected debug, info, warn or error.", v)
	}
	if v := e.values["BOT_TIMEZONE"]; v != "" {
		if _, err := time.LoadLocation(v); err != nil {
			bad("BOT_TIMEZONE is %q; expected a time zone such as Europe/London.", v)
		}
	}
	return append(problems, e.wrongMicrosoft()...)
}

// validAddress reports whether it can be listened at: a host, or none, and a port.
func validAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsAny(host, " /") {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil
}

// exampleEnv is the text of .env.example.
func exampleEnv() string {
	var b strings.Builder
	b.WriteString("# Settings and secrets of Keepwatch. Copy this file to .env and fill in what you need.\n" +
		"# The process's own environment wins over it. A secret can also be read from a file:\n" +
		"# set NAME_FILE to its path instead of NAME. Nobody but the bot should be able to read it.\n")
	headed := map[string]bool{}
	for _, v := range variables() {
		prefix, _, _ := strings.Cut(v.Name, "_")
		if head := exampleHead(prefix); head != "" && !headed[prefix] {
			headed[prefix] = true
			b.WriteString("\n# " + head + "\n")
		}
		fmt.Fprintf(&b, "\n# %s", v.Comment)
		if v.Default != "" {
			fmt.Fprintf(&b, " (default %s)", v.Default)
		}
		fmt.Fprintf(&b, "\n#%s=%s\n", v.Name, v.Default)
		if v.Secret {
			fmt.Fprintf(&b, "#%s_FILE=\n", v.Name)
		}
	}
	return b.String()
}

// exampleHead is what .env.example says before the first variable of a kind.
func exampleHead(prefix string) string {
	switch prefix {
	case "SLACK":
		return "Slack and Discord are connected where their tokens are set; `bot check` says whether\n# they work, and what to do where they do not."
	case "MICROSOFT":
		return "Microsoft 365 is read where the tenant, the id and the secret or the certificate are set\n# (docs/outlook.md); `bot check` says whether it works, and what to do where it does not."
	}
	return ""
}

package main

import (
	"errors"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// settings is everything that was decided before the program starts: flags,
// environment and YAML, checked.
type settings struct {
	config
	env        environment
	envFile    string
	ConfigFile string
	DataDir    string // absolute
	Listen     string
	LogLevel   string // "" where nobody said
	Home       string
	read       asRead // the files of the configuration, as they were
}

// loadSettings reads the .env file and the YAML. Every problem in them is in
// the error.
func loadSettings(p process, o options) (settings, error) {
	envFile := o.EnvFile
	if envFile == "" {
		envFile = ".env"
	}
	env, envErr := readEnv(p.Environ, envFile, o.given["env-file"])
	s := settings{env: env, envFile: envFile, ConfigFile: env.get("BOT_CONFIG"), DataDir: env.get("BOT_DATA_DIR"), Listen: env.get("BOT_LISTEN"), LogLevel: env.values["BOT_LOG_LEVEL"], Home: env.values["HOME"]}
	if o.Config != "" {
		s.ConfigFile = o.Config
	}
	if o.DataDir != "" {
		s.DataDir = o.DataDir
	}
	var err error
	if s.DataDir, err = filepath.Abs(s.DataDir); err != nil {
		return s, err
	}
	named := o.given["config"] || env.values["BOT_CONFIG"] != ""
	before := sumOf(s.ConfigFile) // a change while it is read is a change since
	s.config, err = readConfig(s.ConfigFile, named, env.get("BOT_TIMEZONE"), env.lookup)
	if err := allProblems(envErr, err); err != nil {
		return s, err
	}
	if s.Vault.Dir == "" {
		s.Vault.Dir = filepath.Join(s.DataDir, "vault")
	}
	s.read = s.readNow()
	s.read[filepath.Base(s.ConfigFile)] = before
	return s, nil
}

// warnings gives what is wrong with the environment and keeps nothing from starting. Who
// may read the .env file is looked at anew, so that a check beside a running bot sees it
// mended.
func (s settings) warnings() []string {
	return slices.Concat(s.env.warnings, s.env.openFile(s.envFile, s.Referred))
}

// allProblems makes one error of those of both files, so that whoever mends one
// does not find the next at each start.
func allProblems(errs ...error) error {
	var texts []string
	for _, err := range errs {
		if err != nil && keepwatch.KindOf(err) != keepwatch.KindInvalid {
			return err
		}
		if err != nil {
			texts = append(texts, keepwatch.Sentence(err))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindInvalid, "%s", strings.Join(texts, "\n")).Because(errors.Join(errs...))
}

// newLog makes the log: structured lines on w. In the terminal chat only errors
// are written unless somebody said otherwise: what concerns the person there is
// on the cards.
func newLog(w io.Writer, level string, chat bool) (*slog.Logger, error) {
	at := slog.LevelInfo
	if chat {
		at = slog.LevelError
	}
	if level != "" {
		if err := at.UnmarshalText([]byte(level)); err != nil {
			return nil, keepwatch.Errorf(keepwatch.KindInvalid, "BOT_LOG_LEVEL is %q; expected debug, info, warn or error.", level)
		}
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: at})), nil
}

// terminalPeople adds whoever sits at the terminal: the operating system's user
// is an admin there, because that user can read and write everything that the
// bot can. A person of the YAML with that terminal account keeps the name, and
// keeps on the other platforms the role that stands there.
func terminalPeople(people []keepwatch.Person, account keepwatch.Account) []keepwatch.Person {
	out := make([]keepwatch.Person, 0, len(people)+1)
	known := false
	for _, p := range people {
		if p.Accounts["terminal"] == account.ID {
			known = true
			if p.Role < keepwatch.RoleAdmin {
				out = append(out, atTerminal(p.Name, account))
				p.Accounts = maps.Clone(p.Accounts)
				delete(p.Accounts, "terminal")
			}
		}
		out = append(out, p)
	}
	if !known {
		out = append(out, atTerminal(account.Name, account))
	}
	return out
}

func atTerminal(name string, account keepwatch.Account) keepwatch.Person {
	return keepwatch.Person{Name: name, Role: keepwatch.RoleAdmin, Accounts: map[string]string{"terminal": account.ID}}
}

// lesserTerminal gives the person of the YAML who has the terminal account that
// runs the bot, and a role there that means nothing in the terminal.
func lesserTerminal(people []keepwatch.Person, account keepwatch.Account) (keepwatch.Person, bool) {
	for _, p := range people {
		if p.Accounts["terminal"] == account.ID && p.Role < keepwatch.RoleAdmin {
			return p, true
		}
	}
	return keepwatch.Person{}, false
}

// plainTerminal reports whether nobody wants colour (no-color.org) and whether
// the terminal cannot do more than lines.
func plainTerminal(env environment) (plain, dumb bool) {
	dumb = env.values["TERM"] == "dumb"
	return dumb || env.values["NO_COLOR"] != "", dumb
}

// relative gives a path as a person in the current folder would write it, where
// that is shorter.
func relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil || strings.HasPrefix(rel, "..") || len(rel) >= len(path) {
		return path
	}
	return rel
}

// shutdownTime is how long a graceful stop may take.
const shutdownTime = 20 * time.Second

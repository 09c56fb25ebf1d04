// Command bot is Keepwatch: a chat-ops bot that keeps backups and proves them.
//
// It reads the flags, the environment and keepwatch.yaml, joins the packages
// that do the work, and starts them. It imports everything and is imported by
// nothing. With no platform configured it opens the terminal chat.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
)

func main() {
	boundMemory(os.Getenv)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, process{
		Args: os.Args[1:], Environ: os.Environ(),
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now,
	})
	stop()
	os.Exit(code)
}

// process is what the operating system gives a program, so that tests can give
// another.
type process struct {
	Args    []string // without the program's name
	Environ []string // "NAME=value"
	In      *os.File
	Out     io.Writer
	Err     io.Writer
	Now     func() time.Time
	Crash   func(point string) // tests end the process at a named point; nil: never
	Pace    time.Duration      // how often what a host makes is looked at; 0: as the provider has it
	Calls   graph.Clock        // what the limits of calls to Microsoft 365 go by; nil: the system's clock
}

// options are the global flags.
type options struct {
	Config   string // --config
	EnvFile  string // --env-file
	DataDir  string // --data-dir
	Line     string // -c: one line to run
	Identity string // --identity, of bot open
	given    map[string]bool
}

const usage = `Keepwatch keeps backups and proves them.

  bot                            connect to Slack and Discord, where they are configured; otherwise open the terminal chat
  bot chat                       open the terminal chat in any case; piped input is executed line by line
  bot serve                      run without a terminal in any case, as a service
  bot -c '/backup start ./docs'  run one line
  bot check                      look at the configuration and say what to fix
  bot manifest slack [BASE-URL]  print the manifest that Slack's form “From a manifest” takes; with an address: for HTTP
  bot manifest discord           print the link that invites the bot to a server, and its commands
  bot open ARCHIVE_DIR DEST      decrypt and unpack one archive with nothing but the key
  bot state backup FILE          copy the state into FILE, from a running bot too
  bot key new                    make a new key, where the old one is lost for good
  bot key accept                 seal to the key file that there is, where it was replaced on purpose
  bot version                    say which version this is

In the chat, /keepwatch help lists the commands. The exit status is 0 where all went well, 1 where
something failed or a file could not be read, and 2 where the program was called wrongly.

Flags, before the word:
  --config FILE     what to keep and whom to ask (default keepwatch.yaml)
  --env-file FILE   secrets and settings (default .env)
  --data-dir DIR    where the state, the key and the vault lie (default data)
  --identity FILE   bot open: the key to open with (default age-identity.txt in the data folder)
`

// run is the program. It gives the exit status: 0 all went well, 1 something
// failed, 2 the program was called wrongly.
func run(ctx context.Context, p process) int {
	opts, words, err := parseFlags(p)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(p.Out, usage)
		return 0
	}
	if err != nil {
		fmt.Fprintf(p.Err, "%v\nRun `bot --help` for what there is.\n", err)
		return 2
	}
	if err := dispatch(ctx, p, opts, words); err != nil {
		return report(p.Err, err)
	}
	return 0
}

// errFailed ends the program with status 1 after everything has been said.
var errFailed = errors.New("something failed")

// report writes an error for a person and gives the exit status.
func report(w io.Writer, err error) int {
	if errors.Is(err, errFailed) {
		return 1
	}
	text := keepwatch.Sentence(err)
	if text == "" {
		text = err.Error()
	}
	fmt.Fprintln(w, text)
	var u usageError
	if errors.As(err, &u) {
		return 2
	}
	return 1
}

// usageError is a program called wrongly.
type usageError string

func (u usageError) Error() string { return string(u) }

// parseFlags takes the arguments apart.
func parseFlags(p process) (options, []string, error) {
	o := options{given: map[string]bool{}}
	fs := flag.NewFlagSet("bot", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.Config, "config", "", "")
	fs.StringVar(&o.EnvFile, "env-file", "", "")
	fs.StringVar(&o.DataDir, "data-dir", "", "")
	fs.StringVar(&o.Line, "c", "", "")
	fs.StringVar(&o.Identity, "identity", "", "")
	if err := fs.Parse(p.Args); err != nil {
		return o, nil, err
	}
	fs.Visit(func(f *flag.Flag) { o.given[f.Name] = true })
	return o, fs.Args(), nil
}

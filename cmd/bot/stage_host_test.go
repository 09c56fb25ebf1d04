package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"keepwatch/providers/cpanel/cpaneltest"
)

// The stories of hosting accounts drive the built program against a fake host, over
// TLS. Its account is "ruthin":
//
//	host start [VERSION] [wrapped] [loose]   make it; sets HOST, WHM, TOKEN, WHMTOKEN, PIN and CAFILE.
//	                                  Its clock begins at KEEPWATCH_TEST_NOW, as the program's does
//	host clock TIME                   it is that time there now, as RFC 3339
//	host token NAME TIME              an API token that runs out then, in TOKEN
//	host files COUNT                  that many small files in the home directory
//	host file PATH TEXT               one more
//	host database NAME ROWS [MARK]    a dump of so many rows
//	host forwarder DOMAIN FROM TO, host filter DOMAIN TEXT, host drop database NAME
//	host quota USED LIMIT             bytes; "-" is none
//	host feature NAME on|off
//	host managed DAY                  a backup of the host's own, such as 2026-11-20
//	host held DAY [DAMAGE]            a full backup of that day, 03:00, in the home directory; sets HELD to its name
//	host fault KEY=VALUE…             the next requests go wrong; see faultOf
//	host clear                        no fault any more
//	host grow BYTES                   what a step in the background adds to a full backup
//	host hold [STEPS], host go        what it makes in the background stands still after so many steps, until it goes on
//	host looked COUNT WHAT            wait until there were so many calls to "Module::function" since now
//	host upgrade VERSION, host revoke, host closed (tokens cannot download), host receiver NAME DIR
//	host empty                        the account loses its files and databases
//	host heard COUNT                  so many calls of any kind since its tokens were revoked
//	host had COUNT WHAT               so many calls to "Module::function" or a route
//	host keeps COUNT                  so many full backups lie in the home directory
//	host same FILE                    a file here is, byte by byte, the newest full backup there
//	host content PATH TEXT, host row NAME MARK   what is in the account now
//	host order NAME…                  what was restored, in this order
//	host fair                         no call broke the contract, and none came beside another
type hostStage struct {
	*cpaneltest.Host
	account *cpaneltest.Account
	clock   *hostClock
	gate    *gate
	revoked int // calls before the tokens were revoked
}

func cmdHost(ts *testscript.TestScript, neg bool, args []string) {
	play := ts.Value(playKey{}).(*playing)
	if len(args) > 0 && args[0] == "start" {
		play.host = openHost(ts, play.t, args[1:])
		return
	}
	if play.host == nil || len(args) == 0 {
		ts.Fatalf("host start comes first")
	}
	err := play.host.do(ts, args[0], args[1:])
	if (err != nil) != neg {
		ts.Fatalf("host %s: %v", strings.Join(args, " "), err)
	}
}

func openHost(ts *testscript.TestScript, t testing.TB, args []string) *hostStage {
	clock, gate := &hostClock{}, &gate{}
	if now := ts.Getenv("KEEPWATCH_TEST_NOW"); now != "" {
		ts.Check(clock.set(now))
	}
	cfg := cpaneltest.Config{Now: clock.now, Pace: gate.pass}
	for _, arg := range args {
		switch arg {
		case "wrapped":
			cfg.Wrapped = true
		case "loose":
			cfg.Loose = true
		default:
			cfg.Version = arg
		}
	}
	h := cpaneltest.New(t, cfg)
	t.Cleanup(func() { gate.hold(false, 0) }) // before the host ends, which waits for what it does
	s := &hostStage{h, h.AddAccount("ruthin"), clock, gate, 0}
	for name, value := range map[string]string{
		"HOST": h.URL(), "WHM": h.WHMURL(), "TOKEN": s.account.Token(), "WHMTOKEN": h.WHMToken("root"), "PIN": h.Fingerprint(), "CAFILE": h.CAFile(),
	} {
		ts.Setenv(name, value)
	}
	s.account.AddFile("public_html/index.html", []byte("<h1>Ruthin</h1>\n"))
	return s
}

func (s *hostStage) do(ts *testscript.TestScript, what string, args []string) error {
	at := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	a := s.account
	switch what {
	case "files":
		n, err := strconv.Atoi(at(0))
		for i := range n {
			a.AddFile(fmt.Sprintf("public_html/many/%03d/%05d.txt", i/500, i), []byte(cpaneltest.ManyContent(i)))
		}
		return err
	case "file":
		a.AddFile(at(0), []byte(at(1)+"\n"))
	case "database":
		rows, err := strconv.Atoi(at(1))
		a.AddDatabase(at(0), cpaneltest.Statements(rows)+"-- mark: "+at(2)+"\n")
		return err
	case "drop":
		a.DropDatabase(at(1))
	case "forwarder":
		a.AddForwarder(at(0), at(1), at(2))
	case "filter":
		a.AddFilter(at(0), at(1))
	case "quota":
		used, usedErr := strconv.ParseInt(at(0), 10, 64)
		limit, limitErr := strconv.ParseInt(strings.ReplaceAll(at(1), "-", "0"), 10, 64)
		a.SetQuota(used, limit)
		return errors.Join(usedErr, limitErr)
	case "feature":
		a.SetFeature(at(0), at(1) == "on")
	case "managed":
		day, err := time.Parse(time.DateOnly, at(0))
		a.AddManagedBackup(day)
		return err
	case "held":
		return s.held(ts, at(0), at(1))
	case "fault":
		f, err := faultOf(args)
		s.Fault(f)
		return err
	case "clock":
		return s.clock.set(at(0))
	case "token":
		ends, err := time.Parse(time.RFC3339, at(1))
		ts.Setenv("TOKEN", a.NewToken(at(0), ends))
		return err
	case "hold", "go":
		let, err := strconv.Atoi(cmp.Or(at(0), "0"))
		s.gate.hold(what == "hold", let)
		return err
	case "grow":
		n, err := strconv.ParseInt(at(0), 10, 64)
		s.Grow(n)
		return err
	case "looked":
		return s.looked(at(0), at(1))
	case "clear":
		s.ClearFaults()
	case "upgrade":
		s.Upgrade(at(0))
	case "revoke":
		a.RevokeTokens()
		s.revoked = len(s.Calls())
	case "closed":
		s.TokenDownloads(false)
	case "receiver":
		s.Receiver(at(0), ts.MkAbs(at(1)))
	case "empty":
		a.Empty()
		for _, name := range a.Databases() {
			a.AddDatabase(name, "")
		}
	default:
		return s.look(ts, what, args)
	}
	return nil
}

// looked waits for more calls of a function.
func (s *hostStage) looked(count, what string) error {
	n, err := strconv.Atoi(count)
	before := len(s.CallsTo(what))
	for deadline := time.Now().Add(stageTime); err == nil && len(s.CallsTo(what)) < before+n; <-time.After(5 * time.Millisecond) { // another process calls
		if time.Now().After(deadline) {
			return fmt.Errorf("there were %d calls", len(s.CallsTo(what))-before)
		}
	}
	return err
}

// look compares what is on the host with what a story expects.
func (s *hostStage) look(ts *testscript.TestScript, what string, args []string) error {
	a := s.account
	switch what {
	case "heard":
		if n := len(s.Calls()) - s.revoked; strconv.Itoa(n) != args[0] {
			return fmt.Errorf("there were %d calls", n)
		}
	case "had":
		if n := len(s.CallsTo(args[1])); strconv.Itoa(n) != args[0] {
			return fmt.Errorf("there were %d calls", n)
		}
	case "keeps":
		if got := a.HomeBackups(); strconv.Itoa(len(got)) != args[0] {
			return fmt.Errorf("there are %q", got)
		}
	case "same":
		return s.same(ts, args[0])
	case "content":
		got, _ := a.File(args[0])
		if strings.TrimSpace(string(got)) != args[1] {
			return fmt.Errorf("it is %q", got)
		}
	case "row":
		if got := a.Database(args[0]); !strings.Contains(got, "-- mark: "+args[1]+"\n") {
			return fmt.Errorf("%d bytes without it", len(got))
		}
	case "order":
		var got []string
		for _, r := range a.Restored() {
			got = append(got, r.Function+" "+r.File)
		}
		for i, want := range args {
			if i >= len(got) || !strings.Contains(got[i], want) {
				return fmt.Errorf("it was %q", got)
			}
		}
		if len(got) != len(args) {
			return fmt.Errorf("it was %q", got)
		}
	case "fair":
		if bad := s.Violations(); len(bad) > 0 || s.Overlaps() > 0 {
			return fmt.Errorf("%d overlaps, %q", s.Overlaps(), bad)
		}
	default:
		return fmt.Errorf("no such thing to do")
	}
	return nil
}

// held puts a full backup of a day into the home directory, broken where a damage is
// named.
func (s *hostStage) held(ts *testscript.TestScript, day, damage string) error {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return err
	}
	at = at.Add(3 * time.Hour)
	spec := cpaneltest.ArchiveSpec{User: s.account.User(), Domains: s.account.Domains(), Many: 200, Databases: map[string]string{}}
	for _, name := range s.account.Databases() {
		spec.Databases[name] = cpaneltest.Statements(500)
	}
	var b bytes.Buffer
	if err := cpaneltest.WriteArchive(&b, spec, at); err != nil {
		return err
	}
	data := b.Bytes()
	if damage != "" {
		data = cpaneltest.Damage(damage, data)
	}
	name := cpaneltest.BackupName(s.account.User(), at)
	now := s.clock.ahead.Load()
	s.clock.ahead.Store(int64(time.Until(at)))
	s.account.AddFile(name, data) // which is of then
	s.clock.ahead.Store(now)
	ts.Setenv("HELD", name)
	return nil
}

// same compares a file of the story with the newest full backup on the host.
func (s *hostStage) same(ts *testscript.TestScript, name string) error {
	name = oneMatch(ts, name)
	here, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	there, ok := s.account.File(filepath.Base(name))
	if !ok {
		return fmt.Errorf("the host has no %s: %q", filepath.Base(name), s.account.HomeBackups())
	}
	if !bytes.Equal(here, there) {
		a, b := sha256.Sum256(here), sha256.Sum256(there)
		return fmt.Errorf("%d bytes, %s, and there %d, %s", len(here), hex.EncodeToString(a[:4]), len(there), hex.EncodeToString(b[:4]))
	}
	return nil
}

// faultOf reads a fault of a story: on=, times=, skip=, refuse=, status=, cut=,
// stall=, vanish=, full=, timeout=, error=, database=, fails=, and the words never,
// norange, wrongrange, drop, lose, junk, html, restorecut.
func faultOf(args []string) (f cpaneltest.Fault, err error) {
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		n, numberErr := strconv.ParseInt(value, 10, 64)
		number := true
		switch key {
		case "times":
			f.Times = int(n)
		case "skip":
			f.Skip = int(n)
		case "refuse":
			f.Refuse = int(n)
		case "status":
			f.Status = int(n)
		case "cut":
			f.Cut = n
		case "stall":
			f.StallAt = n
		case "vanish":
			f.VanishAt = n
		case "full":
			f.FullAt = n
		case "timeout":
			f.Timeout = n
		default:
			number = false
		}
		if number {
			err = errors.Join(err, numberErr)
			continue
		}
		switch key {
		case "on":
			f.On = value
		case "error":
			f.Error = value
		case "database":
			f.DatabaseError = value
		case "fails":
			f.RestoreFails = value
		case "never":
			f.Never = true
		case "norange":
			f.NoRange = true
		case "wrongrange":
			f.WrongRange = true
		case "drop":
			f.Drop = true
		case "lose":
			f.Lose = true
		case "junk":
			f.Junk = true
		case "html":
			f.HTML = true
		case "restorecut":
			f.RestoreCut = true
		default:
			err = errors.Join(err, fmt.Errorf("no fault %q: %w", arg, fs.ErrInvalid))
		}
	}
	return f, err
}

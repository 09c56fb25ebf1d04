package handlers

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
)

// dueOf makes the delivery of an occurrence's command.
func dueOf(text string, account keepwatch.Account) keepwatch.Delivery {
	return keepwatch.Delivery{Key: "due:12@2026-11-26T09:00#1", Reply: keepwatch.Reply{To: account},
		Request: keepwatch.Request{ID: "due-12-1", Text: text, Account: account, Channel: "slack:A", Due: "12@2026-11-26T09:00"}}
}

// TestDeskCarriesOutWhatIsDue: with the rights of whoever made the rule, under the
// request that the occurrence knows, once, and answered by the card alone.
func TestDeskCarriesOutWhatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		p := h.open(nil)
		for range 2 { // a tick that was cut off hands it over again
			p.take(dueOf("/backup start notes", keepwatch.ConfigAccount()))
			synctest.Wait()
		}
		out, runs := h.waiting(), h.allRuns()
		if len(out) != 1 || out[0].Run != 1 || out[0].Reply != nil || out[0].Lane != "slack:A" {
			t.Errorf("%+v", out)
		}
		if len(runs) != 1 || runs[0].Due != "12@2026-11-26T09:00" || runs[0].Request != "due-12-1" || runs[0].By != "schedule" {
			t.Errorf("%+v", runs)
		}
		p.kill()
	})
}

// TestDeskTellsWhatCameOfWhatWasDue: of one that is refused, too.
func TestDeskTellsWhatCameOfWhatWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		var told []string
		p := h.open(func(p *shop) {
			p.answered = func(due string, e keepwatch.AuditEntry, _ keepwatch.Message) {
				told = append(told, due+" "+string(e.Outcome))
			}
		})
		p.take(dueOf("/backup prune notes", keepwatch.ConfigAccount())) // admins only
		synctest.Wait()
		if len(told) != 1 || told[0] != "12@2026-11-26T09:00 denied" {
			t.Errorf("told %q", told)
		}
		p.kill()
	})
}

// TestDueIsDenied: the rights are those that whoever made the rule has when it comes
// due. Nobody sits there, so it is not answered, and what is kept for the warning is
// said to those who read that.
func TestDueIsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		for account, c := range map[string]struct{ text, want string }{
			"UGONE": {"/backup start notes", "Whoever made this reminder (slack: UGONE) is not in keepwatch.yaml any more"},
			"U2":    {"/backup prune notes", "backup prune needs the role admin or above, and that of Olwen, who made this reminder, is operator now"},
		} {
			var said string
			p := h.open(func(p *shop) {
				p.answered = func(_ string, e keepwatch.AuditEntry, _ keepwatch.Message) {
					said = string(e.Outcome) + ": " + e.Message
				}
			})
			d := dueOf(c.text, keepwatch.Account{Platform: "slack", ID: account})
			d.Key, d.Request.ID = d.Key+account, d.Request.ID+account
			p.take(d)
			synctest.Wait()
			if !strings.HasPrefix(said, "denied: ") || !strings.Contains(said, c.want) {
				t.Errorf("%s: %s", account, said)
			}
			p.kill()
		}
		if out, runs := h.waiting(), h.allRuns(); len(out)+len(runs) > 0 {
			t.Errorf("%+v %+v", out, runs)
		}
	})
}

// TestDueNowIsRefused: whoever has a reminder come due now hears once that its command
// was not carried out.
func TestDueNowIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		p := h.open(nil)
		for i, try := range []string{"1", "2"} {
			d := dueOf("/backup start nowhere", keepwatch.ConfigAccount())
			d.Request.Due = "12@2026-11-26T09:07-0a1b2c3d4e"
			d.Key, d.Request.ID = "due:"+d.Request.Due+"#"+try, "due-now-"+try
			p.take(d)
			synctest.Wait()
			if out := h.waiting(); len(out) != 1-i || i == 0 && (out[0].Lane != "slack:A" || !strings.Contains(fmt.Sprint(out[0].Message), "/backup start nowhere")) {
				t.Errorf("%+v", out)
			}
		}
		p.kill()
	})
}

// TestDeskIsSilentAboutAnotherTry: a host that is down all night is not a card for
// each try.
func TestDeskIsSilentAboutAnotherTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		p := h.open(nil)
		d := dueOf("/backup start notes", keepwatch.ConfigAccount())
		d.Silent = true
		p.take(d)
		synctest.Wait()
		if out, runs := h.waiting(), h.allRuns(); len(out) != 0 || len(runs) != 1 {
			t.Errorf("%+v, %+v", out, runs)
		}
		p.kill()
	})
}

// TestNobodyIsTheSchedule: its account counts for what is due, and for nothing that
// somebody sends.
func TestNobodyIsTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		p := h.open(nil)
		d := dueOf("/backup start notes", keepwatch.ConfigAccount())
		d.Request.Due = ""
		p.take(d)
		time.Sleep(time.Second)
		if runs := h.allRuns(); len(runs) != 0 {
			t.Errorf("%+v", runs)
		}
		p.kill()
	})
}

// TestDeskDoesWhatIsDueLate: how late it may be is not the desk's business.
func TestDeskDoesWhatIsDueLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		p := h.open(func(p *shop) { p.crash = func(point string) bool { return point == "desk.taken" } })
		p.take(dueOf("/backup start notes", keepwatch.ConfigAccount()))
		synctest.Wait()
		p.kill()
		time.Sleep(3 * time.Hour)
		p = h.open(nil)
		synctest.Wait()
		if runs := h.allRuns(); len(runs) != 1 {
			t.Errorf("%+v", runs)
		}
		p.kill()
	})
}

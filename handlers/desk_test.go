package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

// TestDeskSavesBeforeItAcknowledges: what could not be saved is not done, and the
// platform is told; what was taken before is not done again.
func TestDeskSavesBeforeItAcknowledges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		var full atomic.Bool
		p := h.open(func(p *shop) {
			p.refuse = func(op string) error {
				if op == "TakeDelivery" && full.Load() {
					return errors.New("the disk is full")
				}
				return nil
			}
		})
		full.Store(true)
		if fresh, err := p.Take(t.Context(), click("k", "U2", "/backup start notes")); err == nil || fresh {
			t.Errorf("%v, %v", fresh, err)
		}
		synctest.Wait()
		if len(h.allRuns()) != 0 || len(h.outcomes()) != 0 {
			t.Errorf("done unrecorded: %+v, %q", h.allRuns(), h.outcomes())
		}
		full.Store(false)
		for i, want := range []bool{true, false, false} {
			fresh, err := p.Take(t.Context(), click("k", "U2", "/backup start notes"))
			if err != nil || fresh != want {
				t.Errorf("the %d. time: %v, %v", i+1, fresh, err)
			}
			time.Sleep(time.Minute)
		}
		if out := h.waiting(); len(out) != 1 || out[0].Run != 1 || out[0].Lane != "slack:A" || !slices.Equal(p.told(), []string{"slack:A"}) {
			t.Errorf("to be posted: %+v, told %q", out, p.told())
		}
		if runs := h.allRuns(); len(runs) != 1 || runs[0].State != keepwatch.RunDone || runs[0].By != "Olwen" {
			t.Errorf("%+v", runs)
		}
		if err := p.Desk.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := p.Take(t.Context(), click("k2", "U2", "/backup status")); keepwatch.KindOf(err) != keepwatch.KindConflict {
			t.Errorf("a closed desk says %v", err)
		}
		if _, err := p.Take(t.Context(), click("k", "U2", "/backup start notes")); err == nil {
			t.Error("a closed desk acknowledges")
		}
		h.none()
		p.kill()
	})
}

// TestDeskKilledAtEveryPoint kills the process at each passing of each named
// point in turn, the engine's included. The platform delivers again what was not
// acknowledged, and the next process goes on: one run, one answer, one audit line.
func TestDeskKilledAtEveryPoint(t *testing.T) {
	del := click("k", "U2", "/backup start notes")
	points := map[string]int{} // how often each is passed; in which order, is not always the same
	synctest.Test(t, func(t *testing.T) {
		p := newHall(t).open(func(p *shop) {
			p.crash = func(point string) bool { points[point]++; return false }
		})
		p.take(del)
		time.Sleep(10 * time.Second)
		p.kill()
	})
	for _, point := range []string{"desk.taken", "desk.answered", "desk.finished", "engine.create.before-save", "engine.create.after-save"} {
		if points[point] == 0 {
			t.Errorf("%s was never passed: %v", point, points)
		}
	}
	var kills []string
	for point, n := range points {
		for at := range n {
			kills = append(kills, fmt.Sprintf("%s#%d", point, at+1))
		}
	}
	slices.Sort(kills)
	for _, away := range []time.Duration{time.Minute, time.Hour} {
		for _, kill := range kills {
			name := ""
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				passed := map[string]int{}
				p := h.open(func(p *shop) {
					p.crash = func(point string) bool {
						passed[point]++
						if fmt.Sprintf("%s#%d", point, passed[point]) == kill {
							name = point
							return true
						}
						return false
					}
				})
				p.take(del)
				time.Sleep(10 * time.Second)
				p.kill()
				h.wall.Store(int64(away)) // as if it had been away for so long
				saved := len(h.allRuns())
				before := len(h.waiting())
				next := h.open(nil)
				fresh, taken := next.take(del)
				time.Sleep(time.Minute)
				if fresh || !taken {
					t.Errorf("killed at %s: the repetition is %v, %v", name, fresh, taken)
				}
				h.none()
				out := h.waiting()
				if before+len(out) != 1 {
					t.Fatalf("killed at %s: %d and %d answers", name, before, len(out))
				}
				runs, outcomes := h.allRuns(), h.outcomes()
				if away == time.Hour && saved == 0 {
					if len(runs) != 0 || out[0].Message.Title != "This was cut off" || out[0].Message.Buttons[0].Command != "backup start notes" || !out[0].Reply.Private || !slices.Equal(outcomes, []string{"failed backup start notes"}) {
						t.Errorf("killed at %s, too late: %+v, %q, %+v", name, runs, outcomes, out)
					}
				} else if len(runs) != 1 || runs[0].State != keepwatch.RunDone || !slices.Equal(outcomes, []string{"done backup start notes"}) || before == 0 && out[0].Run != 1 {
					t.Errorf("killed at %s: %+v, %q, %+v", name, runs, outcomes, out)
				}
				next.kill()
			})
			if name == "" {
				t.Errorf("%s was not passed", kill)
			}
		}
	}
}

// TestDeskAsksAboutWhatIsOld, whichever way the clock was set meanwhile.
func TestDeskAsksAboutWhatIsOld(t *testing.T) {
	for away, asks := range map[time.Duration]bool{
		0: false, 9 * time.Minute: false, 10*time.Minute + time.Second: true, 48 * time.Hour: true, -time.Second: false, -2 * time.Minute: true, -48 * time.Hour: true,
	} {
		t.Run(fmt.Sprint(away), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				p := h.open(func(p *shop) { p.crash = func(point string) bool { return point == "desk.taken" } })
				p.take(click("k", "U2", "/backup start notes"))
				p.kill()
				h.wall.Store(int64(away))
				next := h.open(nil)
				time.Sleep(time.Minute)
				out := h.waiting()
				if len(out) != 1 || (out[0].Message.Title == "This was cut off") != asks || (len(h.allRuns()) == 0) != asks {
					t.Fatalf("%+v, %+v", out, h.allRuns())
				}
				if asks { // the button does it, once
					next.take(click("k2", "U2", "/"+out[0].Message.Buttons[0].Command))
					time.Sleep(time.Minute)
					if len(h.allRuns()) != 1 {
						t.Errorf("%+v", h.allRuns())
					}
				}
				h.none()
				next.kill()
			})
		})
	}
}

// TestDeskWhereTheStoreRefuses: the answer comes when it can be saved, and what
// was asked for is done once, without a restart.
func TestDeskWhereTheStoreRefuses(t *testing.T) {
	for _, op := range []string{"FinishDelivery", "RequestRun"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				if op == "RequestRun" { // is asked after a restart only
					p := h.open(func(p *shop) { p.crash = func(point string) bool { return point == "desk.answered" } })
					p.take(click("k", "U2", "/backup start notes"))
					synctest.Wait()
					p.kill()
				}
				mends := time.Now().Add(5 * time.Minute)
				p := h.open(func(p *shop) {
					p.refuse = func(what string) error {
						if what == op && time.Now().Before(mends) {
							return errors.New("the disk is full")
						}
						return nil
					}
				})
				p.take(click("k", "U2", "/backup start notes"))
				time.Sleep(10 * time.Minute)
				h.none()
				if out := h.waiting(); len(out) != 1 || out[0].Run != 1 || len(h.allRuns()) != 1 || len(p.told()) != 1 {
					t.Errorf("%+v, %+v, told %q", out, h.allRuns(), p.told())
				}
				p.kill()
			})
		})
	}
}

// TestDeskCloses: what is done by then is answered; what is broken off is carried
// out at the next start.
func TestDeskCloses(t *testing.T) {
	for name, obeys := range map[string]bool{"a command that breaks off": true, "a command that finishes all the same": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				starts := 0
				p := h.open(func(p *shop) {
					p.gate = func(ctx context.Context) error {
						starts++
						<-ctx.Done()
						if obeys {
							return ctx.Err()
						}
						return nil
					}
				})
				p.take(click("k", "U2", "/backup start notes"))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				begun := time.Now()
				if err := p.Desk.Close(ctx); err == nil || time.Since(begun) != 10*time.Second {
					t.Errorf("%v after %v", err, time.Since(begun))
				}
				if out := h.waiting(); (len(out) == 0) != obeys {
					t.Errorf("%+v", out)
				}
				p.kill()
				next := h.open(nil)
				time.Sleep(time.Minute)
				if out := h.waiting(); (len(out) == 1) != obeys || len(h.allRuns()) != 1 {
					t.Errorf("after a restart %+v, %+v", out, h.allRuns())
				}
				h.none()
				next.kill()
			})
		})
	}
}

// TestDeskInACrowd: each of many requests that arrive three times at once is
// answered once, a few at a time.
func TestDeskInACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		var mu sync.Mutex
		now, most := 0, 0
		p := h.open(func(p *shop) {
			p.gate = func(context.Context) error {
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				return keepwatch.Errorf(keepwatch.KindConflict, "Not now.")
			}
		})
		var fresh atomic.Int64
		var all sync.WaitGroup
		for i := range 600 {
			all.Go(func() {
				ok, err := p.Take(t.Context(), click(fmt.Sprint("k", i%200), "U2", "/backup start notes"))
				if err != nil {
					t.Error(err)
				}
				if ok {
					fresh.Add(1)
				}
			})
		}
		all.Wait()
		if time.Sleep(time.Minute); fresh.Load() != 200 || len(h.waiting()) != 200 || most > atOnce {
			t.Errorf("%d fresh, %d at the same time", fresh.Load(), most)
		}
		h.none()
		p.kill()
	})
}

// TestDeskHoldsNoTurnWhileItSaves: answers that wait for the disk keep nobody from
// being answered, so that all of them can be saved together.
func TestDeskHoldsNoTurnWhileItSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		slow, tried := true, 0
		p := h.open(func(p *shop) {
			p.refuse = func(op string) error {
				if op != "FinishDelivery" || !slow {
					return nil
				}
				tried++
				return errors.New("the disk is full")
			}
		})
		for i := range 2 * atOnce {
			p.take(click(fmt.Sprint("k", i), "U2", "/backup status"))
		}
		synctest.Wait()
		p.mu.Lock()
		if tried != 2*atOnce {
			t.Errorf("%d of %d answers came as far as being saved", tried, 2*atOnce)
		}
		slow = false
		p.mu.Unlock()
		time.Sleep(time.Minute)
		h.none()
		if n := len(h.waiting()); n != 2*atOnce {
			t.Errorf("%d answers", n)
		}
		p.kill()
	})
}

func TestDeskOutlivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		p := h.open(func(p *shop) { p.gate = func(context.Context) error { panic("a fault") } })
		p.take(click("k", "U2", "/backup start notes"))
		synctest.Wait()
		if out := h.waiting(); len(out) != 1 || out[0].Message.Title != "Something went wrong" || !slices.Equal(h.outcomes(), []string{"failed backup start notes"}) {
			t.Errorf("%+v, %q", out, h.outcomes())
		}
		h.none()
		p.kill()
	})
}

// TestDeskSendsAnswersWhereTheyBelong looks at what is saved for each way in which
// a platform asks.
func TestDeskSendsAnswersWhereTheyBelong(t *testing.T) {
	const start, look, secret = "/backup start notes", "/backup sources", "/keepwatch audit"
	slash := func(d *keepwatch.Delivery) {}
	for name, c := range map[string]struct {
		text   string
		change func(*keepwatch.Delivery)
		want   []string
	}{
		"a slash command":                 {look, slash, []string{"re token private"}},
		"one that starts a run":           {start, slash, []string{"slack:A token card"}},
		"not quiet":                       {start, func(d *keepwatch.Delivery) { d.Quiet = false }, []string{"re token private", "slack:A token card"}},
		"a click on what one person sees": {start, func(d *keepwatch.Delivery) { d.Quiet, d.Reply.Replace = false, true }, []string{"re token private replace", "slack:A token card"}},
		"a mention that starts a run":     {start, func(d *keepwatch.Delivery) { d.Quiet, d.Reply = false, keepwatch.Reply{Thread: "1.2"} }, []string{"slack:A thread card"}},
		"a run in a direct message":       {start, func(d *keepwatch.Delivery) { d.Quiet, d.Request.Private, d.Reply.Private = false, true, false }, []string{"slack:A token card"}},
		"a mention":                       {look, func(d *keepwatch.Delivery) { d.Reply = keepwatch.Reply{Thread: "1.2"} }, []string{"slack:A thread"}},
		"a mention, for admins only":      {secret, func(d *keepwatch.Delivery) { d.Reply = keepwatch.Reply{Thread: "1.2"} }, []string{"slack:A private thread"}},
		"a direct message":                {secret, func(d *keepwatch.Delivery) { d.Request.Private, d.Reply = true, keepwatch.Reply{} }, []string{"slack:A"}},
		"deferred in the open":            {start, func(d *keepwatch.Delivery) { d.InReply, d.Reply.Open, d.Reply.Private = true, true, false }, []string{"re token open card"}},
		"deferred for one person":         {start, func(d *keepwatch.Delivery) { d.InReply, d.Quiet = true, false }, []string{"re token private", "slack:A token card"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				p := h.open(nil)
				d := click("k", "U1", c.text)
				c.change(&d)
				p.take(d)
				synctest.Wait()
				var got []string
				out := h.waiting()
				slices.SortFunc(out, func(a, b keepwatch.Outgoing) int { return int(a.Seq - b.Seq) })
				for _, o := range out {
					lane := o.Lane
					if lane == "re:"+o.ID {
						lane = "re"
					}
					words := []struct {
						word string
						is   bool
					}{{"token", o.Reply.Token != ""}, {"private", o.Reply.Private}, {"open", o.Reply.Open}, {"replace", o.Reply.Replace}, {"thread", o.Reply.Thread != ""}, {"card", o.Run == 1}}
					for _, w := range words {
						if w.is {
							lane += " " + w.word
						}
					}
					if got = append(got, lane); o.Channel != "slack:A" || o.Reply.To.ID != "U1" || len(o.ID) != keepwatch.MessageID || o.Made.IsZero() || (o.Run > 0) != (o.Message.Title == "") {
						t.Errorf("%+v", o)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				h.none()
				p.kill()
			})
		})
	}
}

func TestDeskButtons(t *testing.T) {
	h := newHall(t)
	p := h.open(nil)
	long := keepwatch.Button{Command: "backup restore x", Form: &keepwatch.Form{Fields: []keepwatch.FormField{
		{Name: "part", Words: true}, {Name: "to", Flag: true}, {Name: "archive"}}}}
	if err := h.kept.KeepButtons([]keepwatch.Button{long}); err != nil {
		t.Fatal(err)
	}
	token, _ := long.Token()
	for token, want := range map[string]keepwatch.Button{"=backup status 1": {Command: "backup status 1"}, token: long} {
		if got, err := p.Button(token); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%s: %+v, %v", token, got, err)
		}
	}
	for _, token := range []string{"#0", "", "x"} {
		if _, err := p.Button(token); keepwatch.KindOf(err) != keepwatch.KindNotFound {
			t.Errorf("%q: %v", token, err)
		}
	}
	if got := Fill(long, map[string]string{"part": " a  b ", "to": "/my files", "archive": "", "unknown": "x"}); got != "backup restore x a b --to '/my files'" && !strings.HasSuffix(got, `--to "/my files"`) {
		t.Errorf("%q", got)
	}
	if got := Fill(keepwatch.Button{Command: "backup status"}, map[string]string{"x": "y"}); got != "backup status" {
		t.Errorf("%q", got)
	}
	p.kill()
}

// TestDeskTellsTheTruthAfterACut: what was done just before the process ended is
// not reported as something that cannot be done.
func TestDeskTellsTheTruthAfterACut(t *testing.T) {
	for command, want := range map[string]string{"cancel": "Run 1: backup of notes was cancelled", "retry": "Run 1: backup of notes is under way"} {
		t.Run(command, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				stuck := keepwatch.Run{Kind: keepwatch.RunBackup, Source: "notes", State: keepwatch.RunAttention, Created: h.now(), Steps: []keepwatch.Step{{Name: "fetch", State: keepwatch.StepPending}}}
				if _, err := h.kept.CreateRun(stuck); err != nil {
					t.Fatal(err)
				}
				p := h.open(func(p *shop) { p.crash = func(point string) bool { return point == "desk.answered" } })
				p.take(click("k", "U2", "/backup "+command+" 1"))
				time.Sleep(100 * time.Millisecond)
				p.kill()
				next := h.open(func(p *shop) { p.works[keepwatch.RunBackup] = &slow{} })
				time.Sleep(time.Second)
				out := h.waiting()
				if len(out) != 1 {
					t.Fatalf("%+v", out)
				}
				title := out[0].Message.Title
				if out[0].Run == 1 { // its card, which is made when it is sent
					run, err := next.engine.Run(1)
					if err != nil {
						t.Fatal(err)
					}
					title = next.cfg.Router.RunMessage(run).Title
				}
				if title != want || !slices.Equal(h.outcomes(), []string{"done backup " + command + " 1"}) {
					t.Errorf("%q; audited %q", title, h.outcomes())
				}
				// asked for anew it cannot be done, and that is said
				next.take(click("k2", "U2", "/backup "+command+" 1"))
				synctest.Wait()
				if got := h.outcomes(); !slices.Contains(got, "refused backup "+command+" 1") {
					t.Errorf("audited %q", got)
				}
				next.kill()
			})
		})
	}
}

// slow is a step that goes on until it is stopped.
type slow struct{ labour }

func (*slow) Do(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	<-ctx.Done()
	return task.Run.Result, ctx.Err()
}

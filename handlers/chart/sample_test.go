package chart

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"keepwatch"
)

// sampler makes reports.
type sampler struct {
	in   keepwatch.ReportInput
	rand *rand.Rand
}

func november(t testing.TB) *sampler {
	t.Helper()
	loc, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return &sampler{rand: rand.New(rand.NewPCG(1, 2)), in: keepwatch.ReportInput{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, loc), To: time.Date(2026, 12, 1, 0, 0, 0, 0, loc), Location: loc, Made: time.Date(2026, 11, 26, 9, 0, 0, 0, loc)}}
}

// source adds one that is due each night at 3:00. A letter for each day says what came
// of it: g good, p partly, f failed, m missed, o under way; anything else: nothing.
func (s *sampler) source(name, days string, size int64) {
	s.in.Sources = append(s.in.Sources, keepwatch.Source{Name: name, Schedule: "0 3 * * *"})
	for n, what := range days {
		at := time.Date(2026, 11, n+1, 3, 0, 0, 0, s.in.Location)
		o := keepwatch.Occurrence{ID: keepwatch.OccurrenceID("schedule:"+name, at.Format(keepwatch.WallLayout)), Kind: keepwatch.RuleCommand, Command: "backup start " + name, At: at}
		run := keepwatch.Run{ID: int64(len(s.in.Runs) + 1), Kind: keepwatch.RunBackup, Source: name, Created: at, Due: o.ID, State: keepwatch.RunDone}
		archive := keepwatch.Archive{Source: name, Stamp: keepwatch.StampOf(at), Started: at, Run: run.ID}
		size += size / 100 * int64(s.rand.IntN(5)-1)
		run.Result = keepwatch.Result{Sealed: []keepwatch.SealedFile{{Size: size}}, Archive: archive.Ref(), Verification: &keepwatch.Verification{Level: keepwatch.LevelOpened}}
		archive.SealedBytes, archive.Verified = size, []keepwatch.Verification{*run.Result.Verification}
		o.State, o.Run = keepwatch.OccurrenceDone, run.ID
		switch what {
		case 'g':
		case 'p':
			run.Result.Gaps = []string{"x"}
		case 'f':
			run.State, o.State, run.Result = keepwatch.RunFailed, keepwatch.OccurrenceFailed, keepwatch.Result{}
		case 'm':
			o.State, o.Run = keepwatch.OccurrenceMissed, 0
		case 'o':
			run.State, o.State, run.Result = keepwatch.RunRunning, keepwatch.OccurrenceRunning, keepwatch.Result{}
		default:
			continue
		}
		s.in.Occurrences = append(s.in.Occurrences, o)
		if what == 'm' {
			continue
		}
		s.in.Runs = append(s.in.Runs, run)
		if run.State == keepwatch.RunDone {
			s.in.Archives = append(s.in.Archives, archive)
		}
	}
}

func (s *sampler) people() {
	at := s.in.Made.Add(-14 * 24 * time.Hour)
	for i, st := range []keepwatch.Standing{keepwatch.StandingFresh, keepwatch.StandingFresh, keepwatch.StandingStale} {
		s.in.Devices = append(s.in.Devices, keepwatch.DeviceState{Person: "Alis", Device: keepwatch.Device{Name: fmt.Sprint("phone ", i)}, Standing: st, Seen: at})
	}
	s.in.Attestations = []keepwatch.Attestation{{Subject: "drill/alis", Said: at, State: keepwatch.AttestedDone}}
	s.in.Warnings = []keepwatch.Warning{{ID: "w1", First: at}, {ID: "w2", First: at}}
}

// samples are the reports that have a picture to be compared with.
func samples(t testing.TB) map[string]keepwatch.Report {
	all := map[string]keepwatch.Report{"empty": keepwatch.NewReport(november(t).in)}
	full := november(t)
	full.source("ruthin-web", strings.Repeat("g", 26), 1_460_000_000)
	full.source("alis-mail", "  g      g      g      g", 12_300_000_000)
	full.source("pst-drop", "", 1)
	full.in.Sources[2].Schedule = ""
	full.people()
	full.in.Devices, full.in.Warnings = full.in.Devices[:2], nil
	all["full"] = keepwatch.NewReport(full.in)

	trouble := november(t)
	trouble.source("ruthin-web", "ggggggggggffgggmmgggggpggo", 1_460_000_000)
	trouble.source("bethesda-shop-with-the-longest-name-that-a-source-may-have-63ch", "ggggpppgggggggggmgggggggff", 80_000)
	trouble.source("alis-mail", "  g      f      g      m", 12_300_000_000)
	trouble.source("never-verified", "ffffffffffffffffffffffffff", 1)
	trouble.people()
	all["trouble"] = keepwatch.NewReport(trouble.in)

	many := november(t)
	for i := range 40 {
		days := []byte(strings.Repeat("g", 26))
		if i%5 == 0 {
			days[i%26] = "fmp"[i%3]
		}
		many.source(fmt.Sprintf("site-%02d", i), string(days), 1<<20*int64(i+1))
	}
	many.people()
	all["many"] = keepwatch.NewReport(many.in)
	return all
}

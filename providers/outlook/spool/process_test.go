package spool_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/spool"
)

// TestMain lets the test binary be another process that downloads into a spool.
func TestMain(m *testing.M) {
	dir := os.Getenv("SPOOL_TEST_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := work(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// work downloads what is pending in four lanes, and says of each item that it begins and
// that it is saved.
func work(dir string) error {
	sp, err := spool.New(spool.Config{Dir: dir}).Open(1, key(0))
	if err != nil {
		return err
	}
	jobs, failed := make(chan outlook.Item), make(chan error, 4)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range jobs {
				if _, _, err := sp.Put(i, outlook.Note{}, bytes.NewReader(processBody(i))); err != nil {
					failed <- err
					return
				}
				fmt.Println("saved", i.ID)
			}
		})
	}
	for i, err := range sp.Pending() {
		if err != nil {
			return err
		}
		fmt.Println("begun", i.ID)
		select {
		case jobs <- i:
		case err := <-failed:
			return err
		}
	}
	close(jobs)
	all.Wait()
	fmt.Println("end")
	return sp.Close()
}

func processBody(i outlook.Item) []byte {
	n := 1 + len(i.ID)*7919%100
	if strings.HasSuffix(i.ID, "77") {
		n = 5000 // several frames
	}
	return bytes.Repeat([]byte("content of "+i.ID+"\n"), n*10)
}

// TestProcessKilled kills a process that downloads, again and again: what it has said to be
// saved is never begun again, and in the end all is there.
func TestProcessKilled(t *testing.T) {
	dir := t.TempDir()
	sp := open(t, spool.Config{Dir: dir})
	const many = 4000
	fill(t, sp, many, func(n int) outlook.Item { return item(fmt.Sprint(n), "1") })
	must(t, sp.Close())
	rnd := rand.New(rand.NewPCG(5, 5))
	saved, kills := map[string]bool{}, 0
	for ended := false; !ended; kills++ {
		ended = session(t, dir, 100+rnd.IntN(1500), saved)
	}
	if kills < 3 {
		t.Errorf("it was killed %d times only", kills-1)
	}
	sp = open(t, spool.Config{Dir: dir})
	if got, err := sp.Totals(); err != nil || got.Done != many {
		t.Errorf("%+v, %v", got, err)
	}
	for r, err := range sp.Records("a") {
		must(t, err)
		must(t, compare(sp, r, processBody(r.Item)))
	}
	if all := files(t, dir, "*.seg"); len(all) > 6 {
		t.Errorf("there are %d segments after %d kills", len(all), kills)
	}
}

// session lets a process go on until it has said so many lines, and tells whether it came
// to its end.
func session(t *testing.T, dir string, lines int, saved map[string]bool) (ended bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SPOOL_TEST_DIR="+dir)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	before := len(saved)
	known := map[string]bool{}
	for id := range saved {
		known[id] = true
	}
	all := bufio.NewScanner(out)
	for n := 0; all.Scan(); n++ {
		what, id, _ := strings.Cut(all.Text(), " ")
		switch what {
		case "begun":
			if known[id] {
				t.Errorf("%s was saved and is begun again", id)
			}
		case "saved":
			saved[id] = true
		case "end":
			ended = true
		}
		if n == lines {
			must(t, cmd.Process.Kill())
		}
	}
	_, _ = io.Copy(io.Discard, out)
	if complaints.Len() > 0 || !ended && len(saved) == before {
		t.Fatalf("it came no further than %d: %s", before, complaints.String())
	}
	return ended
}

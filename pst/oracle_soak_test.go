package pst_test

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"
)

// timed says how long a reader took.
func timed(t *testing.T, name string, fn func()) {
	t.Helper()
	start := time.Now()
	fn()
	t.Logf("%s: %.1f s", name, time.Since(start).Seconds())
}

// TestHundredThousandMessages: 100,000 messages. libpff takes more than ten times as long
// for ten times as many, so that pffexport is not asked, but pypff, which is the
// same library; recipients are held against go-pst and libpst.
func TestHundredThousandMessages(t *testing.T) {
	soak(t)
	const count = 100_000
	all := many(10, count, 40)
	var file string
	timed(t, "written", func() { file = createOne(t, fixedOptions(), all) })
	want := listed(all)
	timed(t, "checker", func() { sound(t, file, len(want)) })
	timed(t, "our reader", func() { same(t, "our reader", want, withReader(t, file)) })
	timed(t, "go-pst", func() { same(t, "go-pst", want, withGoPST(t, file).items(top)) })
	timed(t, "pypff", func() { same(t, "pypff", want, withPypff(t, file).items(top), asPypff) })
	timed(t, "readpst", func() { same(t, "readpst", readpstKnows(want), withReadpst(t, file).Items, asReadpst) })
}

// TestThreeGigabytes: a file so long that its map of free pages (FPMap, first at
// 0x7C004800) and several maps of free space (FMap) exist, with messages behind them.
func TestThreeGigabytes(t *testing.T) {
	soak(t)
	all := heavy(11, 60, 50<<20)
	everybodyTimed(t, all)
}

// everybodyTimed writes messages, has every reader say what it finds, and says how long
// each takes.
func everybodyTimed(t *testing.T, all iter.Seq[message]) (file string, want []seen) {
	t.Helper()
	timed(t, "written", func() { file = createOne(t, fixedOptions(), all) })
	want = listed(all)
	timed(t, "checker", func() { sound(t, file, len(want)) })
	timed(t, "our reader", func() { same(t, "our reader", want, withReader(t, file)) })
	timed(t, "go-pst", func() { same(t, "go-pst", want, withGoPST(t, file).items(top)) })
	timed(t, "pypff", func() { same(t, "pypff", want, withPypff(t, file).items(top), asPypff) })
	timed(t, "pffexport", func() { same(t, "pffexport", want, withPffexport(t, file).items(top), asPffexport) })
	timed(t, "readpst", func() { same(t, "readpst", readpstKnows(want), withReadpst(t, file).Items, asReadpst) })
	return file, want
}

// heavy are messages with an attachment of some size each, and a few small ones after
// each of those.
func heavy(seed uint64, count int, size int64) iter.Seq[message] {
	return func(yield func(message) bool) {
		k := newMaker(seed)
		for i := range count {
			m := k.message("Heavy", fmt.Sprint(i%7))
			m.Attachments = []made{k.attachment(size + int64(i))}
			if !yield(m) {
				return
			}
			for range 20 {
				if !yield(k.message("Light")) {
					return
				}
			}
		}
	}
}

// TestFiveThousandFolders: 4,000 in one folder, a chain of 200, and a tree of
// 1,000 below one another; each has a message.
func TestFiveThousandFolders(t *testing.T) {
	soak(t)
	all := inFolders(12, 4000, 200, 10)
	file, want := everybodyTimed(t, all)
	t.Run("pst-extractor", func(t *testing.T) { timed(t, "pst-extractor", func() { samePSTExtractor(t, file, want) }) })
}

// inFolders gives each folder a message: wide of them beside one another, a chain that is deep
// levels deep, and a tree of three levels with so many branches at each.
func inFolders(seed uint64, wide, deep, branches int) iter.Seq[message] {
	return func(yield func(message) bool) {
		k := newMaker(seed)
		for i := range wide {
			if !yield(k.message("Wide", fmt.Sprintf("%s %d", manyScripts[i%len(manyScripts)].text, i))) {
				return
			}
		}
		path := []string{"Deep"}
		for i := range deep {
			path = append(path[:len(path):len(path)], fmt.Sprint(i))
			if !yield(k.message(path...)) {
				return
			}
		}
		for i := range branches * branches * branches {
			digits := strings.Split(fmt.Sprintf("%d-%d-%d", i/branches/branches, i/branches%branches, i%branches), "-")
			if !yield(k.message(append([]string{"Tree"}, digits...)...)) {
				return
			}
		}
	}
}

// TestLongBody: a body that needs an XXBLOCK. pffexport writes it out in hexadecimal.
func TestLongBody(t *testing.T) {
	soak(t)
	k := newMaker(13)
	m := k.message("Long")
	m.HTML, m.Text = k.text(1021*8176+1), k.text(1021*8176/2+1)
	all := func(yield func(message) bool) { yield(m) }
	everybody(t, createOne(t, fixedOptions(), all), listed(all))
}

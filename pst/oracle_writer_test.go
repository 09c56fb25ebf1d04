package pst_test

import (
	"iter"
	"slices"
	"testing"
)

// Each test here writes what the generator makes, and asks everybody who can read a
// PST what is in the file.

func TestReadersReadKinds(t *testing.T) {
	file := createOne(t, fixedOptions(), kinds(1))
	everybody(t, file, listed(kinds(1)))
}

func TestReadersReadPlainFile(t *testing.T) {
	o := fixedOptions()
	o.Plain = true
	all := firstFew(kinds(2), 60)
	everybody(t, createOne(t, o, all), listed(all))
}

// TestReadersReadBigAttachments: an XBLOCK that is full, and XXBLOCKs.
func TestReadersReadBigAttachments(t *testing.T) {
	all := bigAttachments(3)
	everybody(t, createOne(t, fixedOptions(), all), listed(all))
}

// TestReadersReadLongTables: the rows of a contents table span many blocks, and so
// does its heap.
func TestReadersReadLongTables(t *testing.T) {
	all := many(4, 700, 1)
	everybody(t, createOne(t, fixedOptions(), all), listed(all))
}

// TestReadersReadEmptyFile: a file without a message is one too.
func TestReadersReadEmptyFile(t *testing.T) {
	everybody(t, createOne(t, fixedOptions(), func(func(message) bool) {}), nil)
}

// everybody holds what all readers say against what was made.
func everybody(t *testing.T, file string, want []seen) {
	t.Helper()
	t.Run("check", func(t *testing.T) { sound(t, file, len(want)) })
	t.Run("reader", func(t *testing.T) { same(t, "our reader", want, withReader(t, file)) })
	t.Run("go-pst", func(t *testing.T) { same(t, "go-pst", want, withGoPST(t, file).items(top)) })
	t.Run("pffexport", func(t *testing.T) { same(t, "pffexport", want, withPffexport(t, file).items(top), asPffexport) })
	t.Run("pypff", func(t *testing.T) { same(t, "pypff", want, withPypff(t, file).items(top), asPypff) })
	t.Run("readpst", func(t *testing.T) { same(t, "readpst", readpstKnows(want), withReadpst(t, file).Items, asReadpst) })
	t.Run("pst-extractor", func(t *testing.T) { samePSTExtractor(t, file, want) })
}

func firstFew(all iter.Seq[message], n int) iter.Seq[message] {
	return func(yield func(message) bool) {
		i := 0
		for m := range all {
			if i++; i > n || !yield(m) {
				return
			}
		}
	}
}

func bigAttachments(seed uint64) iter.Seq[message] {
	return func(yield func(message) bool) {
		k := newMaker(seed)
		for size := range slices.Values(bigBoundaries) {
			m := k.message("Big")
			m.Attachments = []made{k.attachment(size)}
			if !yield(m) {
				return
			}
		}
	}
}

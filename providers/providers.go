// Package providers is the backup work: it turns a run into steps (plan, fetch,
// verify, seal, copy, prune for a backup) and carries each of them out with the
// help of a provider, which knows one kind of source, and of a vault.
//
// A provider sees a [Sink] and never a disk of ours; the vault sees entries and
// never a source. Each step can be done again from its beginning after a crash,
// or says that it cannot.
package providers

import (
	"context"
	"io"

	"keepwatch"
)

// Provider knows one kind of source. Every provider passes the suite in
// providers/providertest.
type Provider interface {
	// Plan looks at the source without changing anything and says how much
	// there is to read. Its errors name what is wrong with the source and
	// what to do: missing, not readable, not what its name says.
	Plan(ctx context.Context, job Job) (keepwatch.Plan, error)
	// Fetch reads the source once and puts all of it into sink. What cannot
	// be read is noted in the sink and left out; an error means that the
	// archive would not be worth having. It obeys ctx within a second.
	Fetch(ctx context.Context, job Job, sink Sink) error
}

// Job is what a provider is to do.
type Job struct {
	Source keepwatch.Source
	Parts  []string                 // only these; empty is all
	Report func(keepwatch.Progress) // says how far it is; never nil
}

// Sink takes in what a provider reads and makes an archive of it, in one pass
// and in constant memory.
type Sink interface {
	// Add stores one file, folder or link in the archive's tree. content is
	// read to its end for a file and ignored otherwise. Where content gives
	// more than e.Size, the entry is cut and a NoteChanged is made of it; where
	// it gives less, it is filled with zeros and a NoteHalf is made of it.
	Add(e keepwatch.Entry, content io.Reader) error
	// Single stores one file as it comes, sealed under its own name
	// ("name.pst.zst.age", or "name.tar.gz.age" for what is compressed already).
	Single(e keepwatch.Entry, content io.Reader) error
	// Top says what the folder itself is like that the tree is of: mode, owner and
	// time. Its path is "."; it is no item, and a restore to a new place gives it
	// back. It comes before anything that is added.
	Top(e keepwatch.Entry) error
	// Note records something worth knowing.
	Note(n keepwatch.Note) error
}

// Inspector is a Provider of which the server keeps backups of its own, and rotates
// them away.
type Inspector interface {
	// Held gives what the server holds of a source, newest first, without changing
	// anything.
	Held(ctx context.Context, source keepwatch.Source) ([]keepwatch.ServerBackup, error)
}

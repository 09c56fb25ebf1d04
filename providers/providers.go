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
	"encoding/json"
	"io"
	"time"

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
	Parts  []string                 // only these, as asked for or configured; empty is all
	Report func(keepwatch.Progress) // says how far it is; never nil

	Held  string    // the ServerBackup.ID that is to be brought home; "": what the source holds now
	Run   int64     // the number of the run
	Began time.Time // when the run began
	// Last is the newest verified whole archive of the same parts, and with Changes the one
	// that such an archive can go on from, whole or not: see keepwatch.BaseFor. nil: there
	// is none.
	Last *keepwatch.Archive
	// Remote is what the provider has kept of what its server does for this run, and
	// Keep saves that: it returns after it is on disk. Both stay over steps, restarts
	// and retries. Keep is nil where nothing can be kept (Plan).
	Remote json.RawMessage
	Keep   func(remote json.RawMessage) error
	// Changes asks for what changed since Last only, things that were removed included as a
	// list. A provider that cannot do so, or not this time, reads all and says so in a
	// note. Nil: all. Called with Last's Ref, it says that the archive goes on from it. It is
	// called in Download or in Fetch, again when that is done again; the last call counts,
	// and "" takes it back.
	Changes func(base string)
	// Found takes in what was seen inside, all of it at once, and which of the server's
	// backups that is (Inside.Name, Inside.Made), so that it is known to be home; never
	// nil in Fetch.
	Found func(keepwatch.Inside)
	// Retried says that a person has asked for this step once more, after it stopped
	// for attention, and that nothing was kept since. So what is begun anew because of
	// it is to be kept first: done again after a kill, the step finds that, and no retry.
	Retried bool
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
	// An e.Size of -1 says that nobody knows it before content ends.
	Single(e keepwatch.Entry, content io.Reader) error
	// Top says what the folder itself is like that the tree is of: mode, owner and
	// time. Its path is "."; it is no item, and a restore to a new place gives it
	// back. It comes before anything that is added.
	Top(e keepwatch.Entry) error
	// Note records something worth knowing.
	Note(n keepwatch.Note) error
}

// Downloader is a Provider that brings what it backs up onto this machine first, piece by
// piece, because reading it takes hours and must not begin anew after a restart. Such a
// run has the step "download" before "fetch".
type Downloader interface {
	// Downloads reports whether a job needs that.
	Downloads(job Job) bool
	// Download goes on until all is here. It may be called again after a kill at any point,
	// and fetches nothing twice. Its Job.Report may be called from several goroutines; what it
	// says in items or bytes counts those of earlier tries too. As long as that grows from
	// one try to the next, no number of kills makes the run wait for a person.
	Download(ctx context.Context, job Job) error
	// Discard removes what Download has left on this machine: the archive is in its place,
	// or the run has ended without one. It is no error that there is nothing.
	Discard(run int64) error
}

// Inspector is a Provider that can look at the server of a source, which may keep
// backups of its own and rotate them away.
type Inspector interface {
	// Inspect gives what is seen there, without changing anything. It fills in all of
	// a ServerState but Version, Source, Seen, Trend and Trouble; its Backups are the
	// newest first, and their Home is empty.
	Inspect(ctx context.Context, source keepwatch.Source) (keepwatch.ServerState, error)
}

// Preparer is a Provider whose server first has to make what is fetched. Such a run
// has two steps more before "fetch", "request" and "wait", and one after the archive
// is in its place, "release".
type Preparer interface {
	// Prepares reports whether a job needs that. What the server holds already, or
	// makes while it is downloaded, does not.
	Prepares(job Job) bool
	// Request has the server make it. It may be called again after a kill at any
	// point, and then finds what was begun (by Job.Remote, and on the server) and
	// begins nothing twice.
	Request(ctx context.Context, job Job) error
	// Wait returns when it is made, and reports how far it is. It may be called again.
	Wait(ctx context.Context, job Job) error
	// Release removes what the server has made, where the source says so, or says what
	// stays there. Our archive of it is verified and in its place. What cannot be
	// removed is a note and no error.
	Release(ctx context.Context, job Job) ([]keepwatch.Note, error)
}

// Restorer is a Provider that can put parts of archives back where they came from.
type Restorer interface {
	// PlanReturn says what would be put back, in order, and what cannot be. It
	// changes nothing.
	PlanReturn(ctx context.Context, source keepwatch.Source, sets []Set, ask keepwatch.ReturnAsk) (keepwatch.ReturnPlan, error)
	// Return puts one item back and gives what the server wrote about it. It may be
	// called again after a kill at any point: by Job.Remote it knows that the server
	// was told, finds out what became of it, and does not begin it twice. Where nobody
	// can tell, it says so (KindAttention), and begins anew when a person has asked
	// for that by a retry.
	Return(ctx context.Context, job Job, item keepwatch.ReturnItem, from Opener) (keepwatch.ServerLog, error)
}

// Set is an archive whose parts may be put back.
type Set struct {
	Archive keepwatch.Archive
	Entries []keepwatch.Entry // all that is in it; none for a Restorer that is Indexed
	From    Opener
}

// Indexed is a Restorer whose archives have an index of their own, and so many files that
// a list of them does not belong into memory.
type Indexed interface{ Indexed() }

// Walker is an Opener that reads many files of an archive in one pass, and of what lies
// between them no more than it must. Opening each of them would look each of them up.
type Walker interface {
	// WalkEntries calls visit with each file that is wanted, in the order in which they lie
	// in the archive. body is good until visit returns; what is damaged is told of as by
	// OpenEntry, and the walk goes on. An error of visit ends the walk, and is given back.
	// errors.ErrUnsupported: files are to be opened one by one.
	WalkEntries(ctx context.Context, ref string, want func(path string) bool, visit func(e keepwatch.Entry, body io.Reader) error) error
}

// Opener reads files out of archives.
type Opener interface {
	// OpenEntry gives the content of one file of an archive, decrypted and as it came.
	// At the end of it the SHA-256 is compared with the list of contents: an error
	// there has keepwatch.ErrDamaged in its chain.
	OpenEntry(ctx context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error)
}

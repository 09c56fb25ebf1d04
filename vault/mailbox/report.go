package mailbox

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"keepwatch"
)

// reportName is the file that says what a restored folder is, and what is not in it.
// No item has such a name: theirs end in a number.
const reportName = "Keepwatch report.txt"

// report writes that file.
type report struct {
	x      *extraction
	f      *os.File
	w      *bufio.Writer
	losses int64

	rescued bool // a file came such that its items had to be looked for
}

func newReport(x *extraction, run keepwatch.Run) (*report, error) {
	f, err := x.dir.OpenFile(reportName, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, x.full(err)
	}
	r := &report{x: x, f: f, w: bufio.NewWriter(f)}
	fmt.Fprintf(r.w, "Restored by Keepwatch, run %d, on %s\nfrom the archive %s:\n", run.ID, x.m.cfg.Now().In(x.m.cfg.Zone).Format("2 January 2006 at 15:04 MST"), run.Ask.Archive)
	for _, part := range run.Ask.Parts {
		fmt.Fprintf(r.w, "  %s\n", keepwatch.Printable(part))
	}
	return r, nil
}

// loss adds something that could not be read.
func (r *report) loss(kind keepwatch.NoteKind, where, text string) error {
	if r.losses++; r.losses == 1 {
		fmt.Fprint(r.w, "\nNot all of it could be read. The number behind # is that of the item in its folder, as `backup show` lists it.\n")
	}
	what := "is missing"
	if kind == keepwatch.NoteHalf {
		what = "is here in part"
	}
	if _, err := fmt.Fprintf(r.w, "  %s %s: %s\n", keepwatch.Printable(where), what, text); err != nil {
		return r.x.full(err)
	}
	return nil
}

// end adds the sums.
func (r *report) end(res keepwatch.Result) error {
	switch {
	case r.rescued:
		fmt.Fprint(r.w, "\nThe file came damaged. This is what was found of it without the parts that are: some of what was in it may be missing, or older than it was.\n")
	case r.losses == 0:
		fmt.Fprint(r.w, "\nEverything in it could be read.\n")
	}
	what := keepwatch.CountKinds(res.Kinds)
	if what == "" {
		what = "nothing"
	}
	fmt.Fprintf(r.w, "\nWritten: %s (%s, %s).\n", what, keepwatch.FormatBytes(res.Bytes), keepwatch.FormatCount(res.Items, "item"))
	if err := r.w.Flush(); err != nil {
		return r.x.full(err)
	}
	return nil
}

func (r *report) close() error {
	if err := errors.Join(r.w.Flush(), r.f.Close()); err != nil && r.x.ctx.Err() == nil {
		return r.x.full(err)
	}
	return nil
}

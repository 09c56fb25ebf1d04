package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"keepwatch"
)

// BenchmarkTakeOut takes the last small file out of a tree of KEEPWATCH_BENCH_MIB, and
// then what a restore into a mailbox reads: 100 folders of mails of 20 kB, each by a
// step of its own. "older" is an archive without a seek table, which is read from its
// beginning. The rates are of what is taken out; read-x is how often the archive is read.
func BenchmarkTakeOut(b *testing.B) {
	const folders, mail = 100, 20_000
	v := newVault(b)
	text := goSource(b, 64<<20)
	each := int(benchSize(b) / folders / mail)
	run := newRun(1)
	w, err := v.Begin(run)
	if err != nil {
		b.Fatal(err)
	}
	for i := range folders {
		put(b, w, folder(fmt.Sprintf("f%02d", i)))
		for j := range each {
			f := file(fmt.Sprintf("f%02d/%06d.eml", i, j), "")
			f.Size = mail
			if err := w.Add(f.Entry, &cycle{data: text, at: (i*each + j) * 9973 % len(text)}); err != nil {
				b.Fatal(err)
			}
		}
	}
	if run.Result, err = w.Close(); err != nil {
		b.Fatal(err)
	}
	a, err := v.Publish(run, archiveOf(run))
	if err != nil {
		b.Fatal(err)
	}
	for _, kind := range []string{"table", "older"} {
		if kind == "older" {
			older(b, v, a.Ref())
		}
		for _, c := range []struct {
			what  string
			bytes int64
			do    func(*Folder) error
		}{
			{"last", mail, func(f *Folder) error {
				_, r, err := f.OpenEntry(context.Background(), fmt.Sprintf("f%02d/%06d.eml", folders-1, each-1))
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, r)
				return errors.Join(err, r.Close())
			}},
			{"folders", int64(folders * each * mail), func(f *Folder) error {
				for i := range folders {
					if err := walkFolder(f, fmt.Sprintf("f%02d/", i), each); err != nil {
						return err
					}
				}
				return nil
			}},
		} {
			b.Run(c.what+"/"+kind, func(b *testing.B) {
				f, n := reading(b, v, a.Ref())
				b.SetBytes(c.bytes)
				for b.Loop() {
					if err := c.do(f); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n.Load())/float64(b.N)/float64(a.SealedBytes), "read-x")
			})
		}
	}
}

// walkFolder reads the files of a folder, and ends behind the last one.
func walkFolder(f *Folder, dir string, files int) error {
	enough := errors.New("enough")
	err := f.WalkEntries(context.Background(), func(path string) bool { return strings.HasPrefix(path, dir) }, func(_ keepwatch.Entry, body io.Reader) error {
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		if files--; files == 0 {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		return nil
	}
	return errors.Join(err, fmt.Errorf("%s has %d files more", dir, files))
}

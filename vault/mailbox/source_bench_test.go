package mailbox

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/writer"
)

// BenchmarkLookInto lists a folder of an Outlook data file of KEEPWATCH_BENCH_MIB (64 unless
// set) that nobody looked into before, searches all of it, and takes out one item: each from
// the sealed file, and from one without a seek table, which is unpacked first. read-x is how
// much was unpacked for it, as a multiple of the file; unpacked as a whole it is 1.
func BenchmarkLookInto(b *testing.B) {
	mib := 64
	if s := os.Getenv("KEEPWATCH_BENCH_MIB"); s != "" {
		mib, _ = strconv.Atoi(s)
	}
	w := alone(b, map[string][]byte{"mail.pst": many(b, int64(mib)<<20)})
	for _, kind := range []string{"table", "older"} {
		if kind == "older" {
			w.older(b)
		}
		for _, c := range []struct {
			what string
			do   func() error
		}{
			{"list", func() error { _, err := w.Page(b.Context(), w.ref, "mail.pst/F50", 1, 20); return err }},
			{"item", func() error {
				_, err := w.Extract(b.Context(), w.task(filepath.Join(w.dir, "out"+strconv.FormatInt(time.Now().UnixNano(), 36)), "mail.pst/F50/#1"))
				return err
			}},
			{"search", func() error {
				_, err := w.Find(b.Context(), w.ref, "mail.pst", keepwatch.MailQuery{Text: "in no mail at all"}, 1, 5)
				return err
			}},
		} {
			b.Run(c.what+"/"+kind, func(b *testing.B) {
				var read float64
				for b.Loop() {
					if err := c.do(); err != nil {
						b.Fatal(err)
					}
					read = 1
					if s := w.kept.data; s.sealed != nil {
						read = float64(s.sealed.Unpacked()) / float64(s.entry.Size)
					}
					if err := w.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(read, "read-x")
			})
		}
	}
}

// many writes a data file with 100 folders of mails of 2 to 30 kB, some with attachments.
// They come in turn, as mail does, so that those of a folder lie all over the file.
func many(t testing.TB, size int64) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "many.pst")
	begin := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	w, err := writer.Create(path, writer.Options{Now: func() time.Time { return begin }, RecordKey: func() pst.GUID { return pst.GUID{1} }})
	if err != nil {
		t.Fatal(err)
	}
	var folders []*writer.Folder
	for i := range 100 {
		f, err := w.Root().Folder(fmt.Sprintf("F%02d", i), "IPF.Note")
		if err != nil {
			t.Fatal(err)
		}
		folders = append(folders, f)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	text := hex.EncodeToString(noise)
	for i, done := 0, int64(0); done < size; i++ {
		n, at := 2000+rng.IntN(28_000), rng.IntN(1<<20)
		if i%20 == 0 {
			n += 400_000
		}
		eml := bethans(begin.Add(time.Duration(i)*time.Minute), fmt.Sprintf("Mail %d", i), text[at:at+2000], text[at:at+n])
		done += int64(n + 2000)
		err := folders[rng.IntN(100)].Add(func(s pst.Sink) error {
			_, err := mail.Import(s, strings.NewReader(eml), int64(len(eml)), mail.Options{})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

package vault

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/pst"
)

// dataFile makes a file that begins like a whole Outlook data file of some bytes.
func dataFile(size int) []byte {
	b := noise(size, 7)
	clear(b[:600])
	copy(b, "!BDN")
	copy(b[8:], "SM")
	binary.LittleEndian.PutUint16(b[10:], 23)
	binary.LittleEndian.PutUint64(b[184:], uint64(size))
	b[248], b[512], b[513] = 2, 0x80, 1
	binary.LittleEndian.PutUint32(b[4:], pst.Checksum(b[8:8+471]))
	binary.LittleEndian.PutUint32(b[524:], pst.Checksum(b[8:8+516]))
	return b
}

// listedMailbox is what was found inside a file with so many folders.
func listedMailbox(path string, size int, folders int) keepwatch.Mailbox {
	m := keepwatch.Mailbox{Path: path, Name: "Outlook data file", Format: "Unicode", Size: int64(size), Items: int64(folders), Kinds: map[keepwatch.ItemKind]int64{keepwatch.ItemMail: int64(folders)},
		First: start.Add(-time.Hour), Last: start, Damage: []keepwatch.MailDamage{{Where: "Inbox", Offset: 4, Text: "It is gone."}}, Damaged: 1}
	for i := range folders {
		m.Folders = append(m.Folders, keepwatch.MailFolder{Path: fmt.Sprintf("Posteingang 受信箱/%s %d", strings.Repeat("x", 90), i), Items: 1, First: start, Last: start})
	}
	m.Sum()
	return m
}

// sealMailbox seals one file with what was found inside it.
func sealMailbox(t *testing.T, v *Vault, m keepwatch.Mailbox, th thing) keepwatch.Archive {
	t.Helper()
	run := newRun(1)
	w, err := v.Begin(run)
	if err != nil {
		t.Fatal(err)
	}
	put(t, w, th)
	if err := w.Note(keepwatch.Note{Kind: keepwatch.NoteMailbox, Path: m.Path, Text: "what is inside", Mailbox: &m}); err != nil {
		t.Fatal(err)
	}
	if run.Result, err = w.Close(); err != nil {
		t.Fatal(err)
	}
	proof, err := v.VerifyStaged(context.Background(), run, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Result.Mailboxes) != 1 || run.Result.Mailboxes[0].Folders != nil || len(run.Result.Notes) != 0 || run.Result.Counts[keepwatch.NoteMailbox] != 1 {
		t.Errorf("the result keeps %d mailboxes and %d notes, counted %v", len(run.Result.Mailboxes), len(run.Result.Notes), run.Result.Counts)
	}
	a, err := v.Publish(run, keepwatch.Archive{Source: run.Source, Started: run.Started, Items: run.Result.Items, Bytes: run.Result.Bytes, Verified: []keepwatch.Verification{proof}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestMailboxIsSealed: what is inside a data file comes back as it was, however many
// folders it has, and no name of it lies beside the archive.
func TestMailboxIsSealed(t *testing.T) {
	for _, path := range []string{"mail.pst", "latin1-\xe9.pst"} {
		v := newVault(t)
		m := listedMailbox(path, 20_000, 9_000)
		a := sealMailbox(t, v, m, alone(path, string(dataFile(20_000))))
		got, err := v.Mailboxes(context.Background(), a.Ref())
		if err != nil || len(got) != 1 {
			t.Fatalf("%d mailboxes, %v", len(got), err)
		}
		if diff := cmp.Diff(m, got[0]); diff != "" {
			t.Error(diff)
		}
		if proof := verify(t, v, a.Ref()); !proof.OK() {
			t.Errorf("%+v", proof.Problems)
		}
		for _, name := range []string{manifestName, recordName, sumsName} {
			if data, err := readSmall(v.Path(a.Ref()), name); err == nil && (strings.Contains(string(data), "Posteingang") || strings.Contains(string(data), "Inbox")) {
				t.Errorf("%s holds the name of a folder", name)
			}
		}
	}
}

// TestVerifyLooksAtTheHeader: a file that the list calls a data file and that is none
// does not count as one, although every byte of it is as it was read.
func TestVerifyLooksAtTheHeader(t *testing.T) {
	good := dataFile(20_000)
	cut, torn := slices.Clone(good[:19_000]), slices.Clone(good)
	torn[300] ^= 1
	for name, c := range map[string]struct {
		data []byte
		want string
	}{"cut off": {cut, "cut off"}, "torn header": {torn, "checksum"}, "empty": {nil, "!BDN"}} {
		t.Run(name, func(t *testing.T) {
			for _, single := range []bool{true, false} {
				v := newVault(t)
				th := file("mail.pst", string(c.data))
				th.single = single
				a := sealMailbox(t, v, listedMailbox("mail.pst", len(c.data), 1), th)
				got := verify(t, v, a.Ref())
				if len(got.Problems) != 1 || got.Problems[0].Rule != "mailbox" || !strings.Contains(got.Problems[0].Text, c.want) {
					t.Errorf("single %v: %+v", single, got.Problems)
				}
			}
		})
	}
}

// TestVerifyKnowsADamagedHeader: a data file that came with a damaged header, as its
// listing says, is what it was.
func TestVerifyKnowsADamagedHeader(t *testing.T) {
	torn := dataFile(20_000)
	torn[300] ^= 1
	v := newVault(t)
	m := listedMailbox("mail.pst", len(torn), 1)
	m.Headless = true
	a := sealMailbox(t, v, m, alone("mail.pst", string(torn)))
	if got := verify(t, v, a.Ref()); !got.OK() {
		t.Errorf("%+v", got.Problems)
	}
}

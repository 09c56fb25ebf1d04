package pst_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"keepwatch/pst"
)

// extracted is what pst-extractor, a port of java-libpst, finds in a file.
type extracted struct {
	Folders []extractedFolder
	Items   []extractedItem
}

// extractedFolder has the path from the root of the file on, how many items and folders the
// folder says that it has, and how many were there.
type extractedFolder struct {
	Folder            []string
	Class             string
	Said, Rows, Count int
	Below             int
	HasBelow, Search  bool
	Item              *extractedItem // in a line that is an item's, and no folder's
}

// extractedItem is an item in the words of its methods. Values, Kind and Fields are there
// where they were asked for.
type extractedItem struct {
	Folder                                  []string
	Class, ID, Subject, Text, HTML, Headers string
	Page                                    []byte // HTML as it lies in the file
	Charset                                 string // in which it reads Page; "" is UTF-8
	Sent, Received                          time.Time
	From                                    seenPerson
	Recipients                              []seenRecipient
	Attachments                             []struct {
		Name, CID, SHA256 string
		Size              int64
		Item              *extractedItem
	}
	Values map[string][]byte // as they lie in the file, by the keys of rawKey
	Kind   string            // its class for it: PSTContact
	Fields map[string]any    // what the methods of that class give
}

// peerTime is how long one file may take: behind the end of some data pst-extractor would
// read on for ever.
const peerTime = 15 * time.Minute

// withPSTExtractor lists a file with pst-extractor, whose package and version are in
// testdata/pstextractor, and which lies in the folder pst of $KEEPWATCH_NODE.
func withPSTExtractor(t testing.TB, file string, mode ...string) extracted {
	t.Helper()
	packages := filepath.Join(os.Getenv("KEEPWATCH_NODE"), "pst")
	if _, err := os.Stat(filepath.Join(packages, "node_modules", "pst-extractor")); err != nil || os.Getenv("KEEPWATCH_NODE") == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must have the reader of testdata/pstextractor: %v", err)
		}
		t.Skip("KEEPWATCH_NODE has no folder pst with the reader of testdata/pstextractor")
	}
	out := filepath.Join(t.TempDir(), "pstextractor.json")
	ctx, cancel := context.WithTimeout(t.Context(), peerTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, needProgram(t, "node"), append([]string{filepath.Join("testdata", "pstextractor", "list.mjs"), packages, file, out}, mode...)...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("pst-extractor: %v\n%s", err, tailOf(string(said)))
	}
	return readExtracted(t, out)
}

func readExtracted(t testing.TB, name string) (all extracted) {
	t.Helper()
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for dec := json.NewDecoder(bufio.NewReaderSize(in, 1<<20)); ; {
		var line extractedFolder
		if err := dec.Decode(&line); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if line.Item == nil {
			all.Folders = append(all.Folders, line)
			continue
		}
		line.Item.Folder = line.Folder
		all.Items = append(all.Items, *line.Item)
	}
}

// items are in the common words, of all folders below the top, with paths relative to it.
func (e extracted) items(top string) []seen {
	var all []seen
	for _, it := range e.Items {
		all = append(all, it.listed())
	}
	return below(top, all)
}

func (it extractedItem) listed() seen {
	got := seen{Folder: strings.Join(it.Folder, "/"), Class: it.Class, ID: it.ID, Subject: it.Subject, Sent: it.Sent, Received: it.Received,
		From: it.From, Recipients: it.Recipients, Text: it.Text, HTML: string(it.Page), Headers: it.Headers}
	for _, a := range it.Attachments {
		within := seenAttachment{Name: a.Name, CID: a.CID, Size: a.Size, SHA256: a.SHA256}
		if a.Item != nil {
			inner := a.Item.listed()
			within.Item = &inner
		}
		got.Attachments = append(got.Attachments, within)
	}
	return got
}

// raw is the item as the other readers list it.
func (it extractedItem) raw() rawItem {
	got := rawItem{Folder: it.Folder, Values: it.Values}
	for _, a := range it.Attachments {
		within := rawAttachment{Size: a.Size, SHA256: a.SHA256}
		if a.Item != nil {
			inner := a.Item.raw()
			within.Item = &inner
		}
		got.Attachments = append(got.Attachments, within)
	}
	return got
}

// extractedByID are the items by their Message-ID, which the tests give to contacts and
// events too.
func extractedByID(e extracted) map[string]extractedItem {
	m := map[string]extractedItem{}
	for _, it := range e.Items {
		m[it.ID] = it
	}
	return m
}

// sameExtracted holds each property of the items against what pst-extractor finds, and what the
// methods of its class for such items give.
func sameExtracted(t testing.TB, class string, want []*keptItem, all extracted) {
	t.Helper()
	counted(t, all)
	if len(all.Items) != len(want) {
		t.Errorf("pst-extractor finds %d items, there are %d", len(all.Items), len(want))
	}
	got := extractedByID(all)
	for _, k := range want {
		it := got[k.Properties.Text(pst.PidTagInternetMessageId)]
		sameProperties(t, "pst-extractor", k, it.raw(), true)
		if it.Kind != class {
			t.Errorf("pst-extractor takes %s for a %s, not a %s", it.ID, it.Kind, class)
			continue
		}
		sameFields(t, k, it)
	}
}

// knownFields are methods of pst-extractor's classes and the property that each gives. Two are
// errors of 1.12.0, and are here as it has them, so that a version without them is noticed:
// email2AddressType gives the display name, otherAddressCountry the city. What they ought to
// give is compared as a property.
var knownFields = map[string]map[string]pst.Key{
	"PSTContact": {"givenName": pst.PidTagGivenName, "surname": pst.PidTagSurname, "middleName": pst.PidTagMiddleName,
		"companyName": pst.PidTagCompanyName, "title": pst.PidTagTitle, "nickname": pst.PidTagNickname, "fileUnder": pst.PidLidFileUnder,
		"mobileTelephoneNumber": pst.PidTagMobileTelephoneNumber, "homeFaxNumber": pst.PidTagHomeFaxNumber,
		"homeAddressCity": pst.PidTagHomeAddressCity, "workAddressCity": pst.PidLidWorkAddressCity, "otherAddressCity": pst.PidTagOtherAddressCity,
		"otherAddressCountry": pst.PidTagOtherAddressCity, "email2AddressType": pst.PidLidEmails[1].DisplayName,
		"email1EmailAddress": pst.PidLidEmails[0].EmailAddress, "email2EmailAddress": pst.PidLidEmails[1].EmailAddress, "email3EmailAddress": pst.PidLidEmails[2].EmailAddress},
	"PSTAppointment": {"startTime": pst.PidLidAppointmentStartWhole, "endTime": pst.PidLidAppointmentEndWhole, "location": pst.PidLidLocation,
		"duration": pst.PidLidAppointmentDuration, "busyStatus": pst.PidLidBusyStatus, "isRecurring": pst.PidLidRecurring,
		"allAttendees": pst.PidLidAllAttendeesString, "toAttendees": pst.PidLidToAttendeesString, "ccAttendees": pst.PidLidCcAttendeesString},
	"PSTTask": {"taskStatus": pst.PidLidTaskStatus, "percentComplete": pst.PidLidPercentComplete, "isTaskComplete": pst.PidLidTaskComplete,
		"taskOwner": pst.PidLidTaskOwner},
}

// sameFields holds what the methods of a class give against the properties that were put in.
func sameFields(t testing.TB, want *keptItem, got extractedItem) {
	t.Helper()
	for name, key := range knownFields[got.Kind] {
		value := any("")
		for _, p := range want.Properties {
			if p.IsNamed() && p.Named == key || !p.IsNamed() && p.Tag == key {
				value = p.Value
			}
		}
		switch v := value.(type) {
		case time.Time:
			value = v.UTC().Format("2006-01-02T15:04:05.000Z")
		case int32:
			value = float64(v)
		}
		if got.Fields[name] != value {
			t.Errorf("pst-extractor: %s of %s is %v, not %v", name, got.ID, got.Fields[name], value)
		}
	}
}

// samePSTExtractor holds what pst-extractor finds in a file of ours against what was made.
func samePSTExtractor(t testing.TB, file string, want []seen, change ...func(*seen)) {
	t.Helper()
	got := withPSTExtractor(t, file)
	counted(t, got)
	for _, it := range got.Items {
		samePage(t, it)
	}
	same(t, "pst-extractor", want, got.items(top), append(change, asPSTExtractor)...)
}

// counted: of each folder the count that it says, the rows of its table and the items that
// come are as many, and it says that it has folders below it where it has some.
func counted(t testing.TB, got extracted) {
	t.Helper()
	for _, d := range got.Folders {
		if d.Search && d.Rows == -1 { // it reads no table of such a folder
			d.Rows = 0
		}
		if d.Said != d.Count || d.Rows != d.Count || d.HasBelow != (d.Below > 0) {
			t.Errorf("pst-extractor: %q: %+v", d.Folder, d)
		}
	}
}

// samePage: the HTML that it says is the bytes of the item in the charset of the code page that
// the item names. That name is ours too, so that it is not believed of bytes that are UTF-8 by
// themselves, unless the page of the mail has the name as well.
func samePage(t testing.TB, it extractedItem) {
	t.Helper()
	name := cmp.Or(it.Charset, "utf-8")
	beyondASCII := bytes.ContainsFunc(it.Page, func(r rune) bool { return r >= utf8.RuneSelf })
	if beyondASCII && utf8.Valid(it.Page) && !bytes.Contains(bytes.ToLower(it.Page), []byte(strings.ToLower(name))) {
		name = "utf-8"
	}
	charset, err := htmlindex.Get(name)
	if err != nil {
		t.Errorf("pst-extractor: %s: the charset %q: %v", it.ID, it.Charset, err)
		return
	}
	want, err := charset.NewDecoder().Bytes(bytes.TrimPrefix(it.Page, []byte("\uFEFF")))
	if err != nil || string(want) != it.HTML {
		t.Errorf("pst-extractor: the HTML of %s is %q, not %q (%s): %v", it.ID, tailOf(it.HTML), tailOf(string(want)), it.Charset, err)
	}
	for _, a := range it.Attachments {
		if a.Item != nil {
			samePage(t, *a.Item)
		}
	}
}

// asPSTExtractor: its dates are those of JavaScript, which have milliseconds.
func asPSTExtractor(it *seen) {
	it.Sent, it.Received = it.Sent.Truncate(time.Millisecond), it.Received.Truncate(time.Millisecond)
}

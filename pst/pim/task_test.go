package pim

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch/pst"
	"keepwatch/pst/psttest"
)

func todo(lines ...string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VTODO\r\nEND:VCALENDAR\r\n")
}

func readTasks(t testing.TB, text []byte) []*Task {
	t.Helper()
	var all []*Task
	for task, err := range ReadTasks(bytes.NewReader(text)) {
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all = append(all, task)
	}
	return all
}

func readNotes(t testing.TB, text []byte) []*Note {
	t.Helper()
	var all []*Note
	for n, err := range ReadNotes(bytes.NewReader(text)) {
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all = append(all, n)
	}
	return all
}

// taskTrips proves that a task comes through an item and through a VTODO as it was.
func taskTrips(t testing.TB, name string, task *Task) {
	t.Helper()
	want := *task
	want.Zone = nil
	back, err := TaskOf(hold(t, task.Write))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&want, back); d != "" {
		t.Errorf("%s through an item: %s", name, d)
	}
	var b bytes.Buffer
	if err := task.Calendar(&b); err != nil {
		t.Fatal(err)
	}
	want.Original = nil
	if again := readTasks(t, b.Bytes()); len(again) != 1 {
		t.Errorf("%s: %d tasks come of one", name, len(again))
	} else if d := cmp.Diff(&want, again[0]); d != "" {
		t.Errorf("%s through a VTODO: %s\n%s", name, d, &b)
	}
}

func fullTask() *Task {
	return &Task{
		Subject: "Write: the report, then; send it", Body: "First\n\n\tlast; \\ ü🙂", Status: TaskWaiting, Percent: 40,
		Start: Date{2026, 3, 1}, Due: Date{2026, 3, 29}, Reminder: time.Date(2026, 3, 28, 7, 30, 0, 0, time.UTC), Importance: Important,
		Rule:  &Rule{Frequency: Monthly, Interval: 2, Count: 5, ByDay: []WeekdayNum{{N: 1, Day: time.Sunday}}, WeekStart: time.Monday},
		Owner: "Jane, Doe", ActualWork: 90 * minute, EstimatedWork: 480 * minute, Categories: []string{"Work", "Red Team"},
		Sensitivity: Private, UID: "{1@x}", Created: pst.FromFiletime(116444736000000000), Modified: pst.FromFiletime(130000000000000000),
	}
}

func TestFullTask(t *testing.T) {
	task := fullTask()
	v := reflect.ValueOf(*task)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Completed" && name != "Zone" && name != "Original" {
			t.Errorf("%s is empty: this test is to have every field", name)
		}
	}
	taskTrips(t, "full", task)
	done := &Task{Subject: "x", Status: TaskComplete, Percent: 100, Completed: Date{2024, 2, 29}, Importance: Unimportant, Original: []byte("BEGIN:VCALENDAR\r\n")}
	taskTrips(t, "done", done)
}

// TestTaskProperties holds the properties that Outlook looks at to what [MS-OXOTASK] says.
func TestTaskProperties(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	task := &Task{Subject: "a\nb", Start: Date{2026, 7, 1}, Percent: 50, Zone: vienna, Reminder: time.Date(2026, 7, 1, 8, 0, 0, 0, vienna)}
	h := hold(t, task.Write)
	day := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		key  pst.Key
		want any
	}{
		{pst.PidTagMessageClass, "IPM.Task"}, {pst.PidTagSubject, "a b"}, {pst.PidTagIconIndex, int32(0x500)}, {pst.PidTagImportance, int32(1)},
		{pst.PidLidTaskStatus, int32(1)}, {pst.PidLidPercentComplete, 0.5}, {pst.PidLidTaskComplete, false}, {pst.PidLidTaskState, int32(1)},
		{pst.PidLidTaskStartDate, day}, {pst.PidLidTaskDueDate, day}, {pst.PidLidCommonStart, day.Add(-2 * hour)}, {pst.PidLidCommonEnd, day.Add(-2 * hour)},
		{pst.PidLidReminderSet, true}, {pst.PidLidReminderTime, day.Add(6 * hour)}, {pst.PidLidReminderSignalTime, day.Add(6 * hour)},
	} {
		if got, _ := h.props.Get(c.key); !cmp.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.key, got, c.want)
		}
	}
}

func TestTodoLines(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  Task
		notes string
	}{
		{"days", []string{"DTSTART;VALUE=DATE:20260301", "DUE;VALUE=DATE:20260302"}, Task{Start: Date{2026, 3, 1}, Due: Date{2026, 3, 2}}, ""},
		{"a time of day", []string{"DUE:20260302T170000Z"}, Task{Due: Date{2026, 3, 2}}, "Due: 20260302T170000Z"},
		{"midnight", []string{"DUE:20260302T000000"}, Task{Due: Date{2026, 3, 2}}, ""},
		{"a length", []string{"DURATION:P2D", "DTSTART:20260301T000000"}, Task{Start: Date{2026, 3, 1}, Due: Date{2026, 3, 3}}, ""},
		{"only a start", []string{"DTSTART:20260301"}, Task{Start: Date{2026, 3, 1}, Due: Date{2026, 3, 1}}, ""},
		{"due before it starts", []string{"DTSTART:20260305", "DUE:20260301"}, Task{Start: Date{2026, 3, 1}, Due: Date{2026, 3, 1}}, "Start: 20260305"},
		{"done", []string{"STATUS:COMPLETED", "COMPLETED:20260301T000000Z"}, Task{Status: TaskComplete, Percent: 100, Completed: Date{2026, 3, 1}}, ""},
		{"under way", []string{"STATUS:NEEDS-ACTION", "PERCENT-COMPLETE:30"}, Task{Status: TaskInProgress, Percent: 30}, ""},
		{"given up", []string{"STATUS:CANCELLED"}, Task{}, "Status: CANCELLED"},
		{"important", []string{"PRIORITY:3"}, Task{Importance: Important}, ""},
		{"not important", []string{"PRIORITY:7"}, Task{Importance: Unimportant}, ""},
		{"middling", []string{"PRIORITY:5"}, Task{}, ""},
		{"repeats without a day", []string{"RRULE:FREQ=DAILY;COUNT=3"}, Task{}, "Repeats: FREQ=DAILY;COUNT=3"},
		{"repeats too often", []string{"RRULE:FREQ=HOURLY", "DUE:20260301"}, Task{Start: Date{2026, 3, 1}, Due: Date{2026, 3, 1}}, "Repeats: FREQ=HOURLY"},
		{"repeats", []string{"RRULE:FREQ=DAILY;COUNT=3;INTERVAL=2", "DUE:20260301"}, Task{Start: Date{2026, 3, 1}, Due: Date{2026, 3, 1},
			Rule: &Rule{Frequency: Daily, Interval: 2, Count: 3, WeekStart: time.Monday}}, ""},
		{"repeats until a time", []string{"DTSTART:20260302", "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260327T120000Z"}, Task{Start: Date{2026, 3, 2}, Due: Date{2026, 3, 2},
			Rule: &Rule{Frequency: Weekly, Interval: 1, Until: time.Date(2026, 3, 23, 0, 0, 0, 0, time.UTC), UntilDate: true, WeekStart: time.Monday, ByDay: []WeekdayNum{{Day: time.Monday}}}}, ""},
		{"repeats not from its first day", []string{"DTSTART:20260303", "RRULE:FREQ=WEEKLY;BYDAY=MO"}, Task{Start: Date{2026, 3, 3}, Due: Date{2026, 3, 3}}, "Repeats: FREQ=WEEKLY;BYDAY=MO"},
		{"people", []string{"ATTENDEE;CN=\"Doe, J\":mailto:j@x", "LOCATION:Vienna\\, here"}, Task{}, "Person: Doe, J <mailto:j@x>\nWhere: Vienna, here"},
		{"reminder at a time", []string{"BEGIN:VALARM", "TRIGGER;VALUE=DATE-TIME:20260301T080000Z", "END:VALARM"}, Task{Reminder: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}, ""},
		{"reminder before the end", []string{"DUE:20260302", "BEGIN:VALARM", "TRIGGER;RELATED=END:-PT1H30M", "END:VALARM"},
			Task{Due: Date{2026, 3, 2}, Reminder: time.Date(2026, 3, 1, 22, 30, 0, 0, time.UTC)}, ""},
		{"for programs", []string{"X-APPLE-SORT-ORDER:5", "DTSTAMP:20260101T000000Z", "SEQUENCE:1"}, Task{}, ""},
		{"broken", []string{"DUE:soon", "PERCENT-COMPLETE:lots", "DTSTART;TZID=Europe/Nowhere:20260101T000000"}, Task{Start: Date{2026, 1, 1}, Due: Date{2026, 1, 1}}, "Due: soon\nPercent: lots"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := readTasks(t, todo(c.lines...))
			if len(got) != 1 {
				t.Fatalf("%d tasks", len(got))
			}
			want := c.want
			if c.notes != "" {
				want.Body = todoHeading + "\n" + c.notes
				if !bytes.Contains(got[0].Original, []byte("\r\nBEGIN:VTODO\r\n")) {
					t.Errorf("the original is %q", got[0].Original)
				}
			}
			want.Original = got[0].Original
			if d := cmp.Diff(&want, got[0]); d != "" {
				t.Error(d)
			}
			taskTrips(t, c.name, got[0])
		})
	}
}

// TestTaskThatRepeats: what an item says is a pattern, and what it cannot say stands in
// the body.
func TestTaskThatRepeats(t *testing.T) {
	task := &Task{Subject: "x", Due: Date{2026, 3, 31}, Rule: &Rule{Frequency: Monthly, Interval: 1, ByMonthDay: []int{-1}, WeekStart: time.Monday}}
	h := hold(t, task.Write)
	p, err := parsePattern(&blob{b: h.props.Bytes(pst.PidLidTaskRecurrence)})
	if err != nil || p.Type != patternMonth || p.Day != 31 || p.EndType != endNever || len(p.Deleted)+len(p.Modified) != 0 || !h.props.Bool(pst.PidLidTaskFRecurring) {
		t.Errorf("%+v %v", p, err)
	}
	back, err := TaskOf(h)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(task, back); d != "" {
		t.Error(d)
	}
	task.Rule = &Rule{Frequency: Hourly, Interval: 1, WeekStart: time.Monday}
	h = hold(t, task.Write)
	if got := h.props.Text(pst.PidTagBody); got != "Also in the calendar:\r\nRepeats: FREQ=HOURLY" || h.props.Bool(pst.PidLidTaskFRecurring) {
		t.Errorf("the body is %q", got)
	}
	task.Rule = &Rule{Frequency: Daily} // an interval of 0
	hold(t, task.Write)
	p.Sliding = 1
	h.props.Set(pst.PidLidTaskFRecurring, true)
	for words, data := range map[string][]byte{"some time after it is done": p.append(nil), "in a way that could not be read": {4, 0x30, 4}} {
		h.props.Set(pst.PidLidTaskRecurrence, data)
		h.props.Set(pst.PidTagBody, "b")
		if back, err := TaskOf(h); err != nil || back.Body != "b\n\n"+todoHeading+"\nRepeats: "+words || back.Rule != nil {
			t.Errorf("%+v %v", back, err)
		}
	}
}

// TestTaskAmongEvents: a calendar holds tasks and notes beside events, and a task that
// names a zone of the text begins its days there.
func TestTaskAmongEvents(t *testing.T) {
	task := fullTask()
	var b bytes.Buffer
	if err := WriteCalendar(&b, task, &Note{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	c, err := ReadCalendar(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]*Task{task}, c.Tasks); d != "" {
		t.Error(d)
	}
	if notes := readNotes(t, b.Bytes()); len(notes) != 1 || notes[0].Text != "x" {
		t.Errorf("%+v", notes)
	}
	c, err = ReadCalendar(strings.NewReader("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0300\nEND:STANDARD\nEND:VTIMEZONE\n" +
		"BEGIN:VTODO\nDUE;TZID=Here:20260301T000000\nEND:VTODO\nEND:VCALENDAR"))
	if err != nil || len(c.Tasks) != 1 {
		t.Fatal(c, err)
	}
	h := hold(t, c.Tasks[0].Write)
	if due, end := h.props.Time(pst.PidLidTaskDueDate), h.props.Time(pst.PidLidCommonEnd); due.Sub(end) != 3*hour || !due.Equal(Date{2026, 3, 1}.time()) {
		t.Errorf("due %v, in UTC %v", due, end)
	}
}

// TestOriginalOfTodo: the text that hangs on the task says what the first one said.
func TestOriginalOfTodo(t *testing.T) {
	got := readTasks(t, todo("SUMMARY;LANGUAGE=de;X-A=\"b,c\",d:x\\, y", "RRULE:FREQ=HOURLY", "X-Q;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab", "BEGIN:VALARM", "ACTION:EMAIL", "END:VALARM"))[0]
	want := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//pst/pim//EN\r\nBEGIN:VTODO\r\nSUMMARY;LANGUAGE=de;X-A=\"b,c\",d:x\\, y\r\nRRULE:FREQ=HOURLY\r\nX-Q:a\\nb\r\n" +
		"BEGIN:VALARM\r\nACTION:EMAIL\r\nEND:VALARM\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
	if d := cmp.Diff(want, string(got.Original)); d != "" {
		t.Error(d)
	}
}

// noteTrips proves that a note comes through an item and through a VJOURNAL as it was.
func noteTrips(t testing.TB, name string, n *Note) {
	t.Helper()
	back, err := NoteOf(hold(t, n.Write))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(n, back); d != "" {
		t.Errorf("%s through an item: %s", name, d)
	}
	var b bytes.Buffer
	if err := n.Calendar(&b); err != nil {
		t.Fatal(err)
	}
	want := *n
	want.Original = nil
	if again := readNotes(t, b.Bytes()); len(again) != 1 {
		t.Errorf("%s: %d notes come of one", name, len(again))
	} else if d := cmp.Diff(&want, again[0]); d != "" {
		t.Errorf("%s through a VJOURNAL: %s\n%s", name, d, &b)
	}
}

func TestNotes(t *testing.T) {
	noteTrips(t, "full", &Note{Text: "Milk; eggs,\n\nand \\ more ü🙂\n", Color: NotePink, Width: 300, Height: 100, X: -20, Y: 40, Categories: []string{"a", "b"},
		UID: "1@x", Created: pst.FromFiletime(116444736000000000), Modified: pst.FromFiletime(130000000000000000), Original: []byte("x")})
	for _, c := range []struct {
		name, text string
		want       Note
	}{
		{"journal", "BEGIN:VCALENDAR\nBEGIN:VJOURNAL\nSUMMARY:a\nDESCRIPTION:b\\nc\nCOLOR:Blue\nEND:VJOURNAL\nEND:VCALENDAR", Note{Text: "a\nb\nc", Color: NoteBlue}},
		{"title is the first line", "BEGIN:VJOURNAL\nSUMMARY:a\nDESCRIPTION:a\\nc\nEND:VJOURNAL", Note{Text: "a\nc"}},
		{"phone", "BEGIN:VNOTE\nVERSION:1.1\nBODY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:gr=C3=BCn=0A=\nx\nDCREATED:20200102T030405\nX-IRMC-LUID:7\nEND:VNOTE",
			Note{Text: "grün\nx", UID: "7", Created: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)}},
		{"unknown", "BEGIN:VJOURNAL\nDESCRIPTION:a\nLOCATION:b\nEND:VJOURNAL", Note{Text: "a\n\n" + todoHeading + "\nWhere: b", Original: []byte(
			"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//pst/pim//EN\r\nBEGIN:VJOURNAL\r\nDESCRIPTION:a\r\nLOCATION:b\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n")}},
	} {
		got := readNotes(t, []byte(c.text))
		if len(got) != 1 {
			t.Fatalf("%s: %d notes", c.name, len(got))
		}
		if d := cmp.Diff(&c.want, got[0]); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		noteTrips(t, c.name, got[0])
	}
	h := hold(t, (&Note{Text: "\n first \nsecond", Color: NoteGreen}).Write)
	if h.props.Text(pst.PidTagSubject) != "first" || h.props.Int(pst.PidTagIconIndex) != 0x301 || h.props.Int(pst.PidLidNoteWidth) != 200 {
		t.Errorf("%v", h.props)
	}
}

func TestOtherClassesOfTasksAndNotes(t *testing.T) {
	contact := hold(t, (&Contact{DisplayName: "x"}).Write)
	var other *ClassError
	if _, err := TaskOf(contact); !errors.As(err, &other) || other.Want != "task" {
		t.Error(err)
	}
	if _, err := NoteOf(contact); !errors.As(err, &other) || other.Want != "note" {
		t.Error(err)
	}
}

// TestSampleTodos: each VTODO and VJOURNAL of the samples gives a result that comes through
// everything.
func TestSampleTodos(t *testing.T) {
	tasks, notes := 0, 0
	for _, folder := range []string{"calendars", "events", "alarms", "timezones"} {
		files, err := filepath.Glob(filepath.Join(psttest.Sample(t, "mail", "icalendar-BSD2"), folder, "*.ics"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for task, err := range ReadTasks(bytes.NewReader(text)) {
				if err == nil {
					taskTrips(t, filepath.Base(f), task)
					tasks++
				}
			}
			for n, err := range ReadNotes(bytes.NewReader(text)) {
				if err == nil {
					noteTrips(t, filepath.Base(f), n)
					notes++
				}
			}
			if bytes.Count(text, []byte("BEGIN:VTODO"))+bytes.Count(text, []byte("BEGIN:VJOURNAL")) > 0 && tasks+notes == 0 {
				t.Errorf("%s gives nothing", f)
			}
		}
	}
	if tasks < 5 || notes < 4 {
		t.Errorf("%d tasks, %d notes", tasks, notes)
	}
}

func FuzzTodos(f *testing.F) {
	f.Add(todo("SUMMARY:a", "DTSTART:20260301", "DURATION:P1W", "RRULE:FREQ=MONTHLY;UNTIL=20270101", "STATUS:WAITING", "COMPLETED:20260301T010203Z", "RRULE:x", "BEGIN:VALARM", "TRIGGER:-PT1M", "END:VALARM"))
	f.Add(todo("BEGIN:VALARM", "TRIGGER:00000101T000000", "END:VALARM"))
	f.Add([]byte("BEGIN:VNOTE\nBODY;ENCODING=QUOTED-PRINTABLE:a=\nb\nCOLOR:red\nX-NOTE-SIZE:1;2\nSUMMARY:c\nEND:VNOTE"))
	f.Add([]byte("BEGIN:VJOURNAL\nX-NOTE-SIZE:1;0"))
	f.Add([]byte("BEGIN:VJOURNAL\nDESCRIPTION: a\\n\nX-NOTE-PLACE:-1;99999\nCREATED:1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for task, err := range ReadTasks(bytes.NewReader(text)) {
			if err == nil {
				taskTrips(t, "fuzz", task)
			}
		}
		for n, err := range ReadNotes(bytes.NewReader(text)) {
			if err == nil {
				noteTrips(t, "fuzz", n)
			}
		}
	})
}

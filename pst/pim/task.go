package pim

import (
	"math"
	"time"

	"keepwatch/pst"
)

// A Task is a thing to be done: an item of the class IPM.Task ([MS-OXOTASK]), a VTODO.
// Texts have LF at the end of a line.
//
// Of a task that is made from fields, what contradicts itself is put right when it is
// written: Percent and Status agree, a task that has Start has Due too, and that does
// not lie before it. A Rule that an item cannot say is written into the body.
type Task struct {
	Subject, Body         string
	Status                TaskStatus
	Percent               int  // of the work that is done, 0 to 100
	Start, Due, Completed Date // Outlook knows days only
	Reminder              time.Time
	Importance            Importance
	Rule                  *Rule // how it repeats, from Start or Due on; nil for once
	Owner                 string
	ActualWork            time.Duration // in steps of minutes
	EstimatedWork         time.Duration
	Categories            []string
	Sensitivity           Sensitivity
	UID                   string
	Created, Modified     time.Time

	// Zone is where the days begin, for what Outlook keeps in UTC besides. Where it is
	// nil they begin in UTC. It is not read back.
	Zone *time.Location

	// Original is the text of a VTODO that said more than fits. It goes along as
	// an attachment.
	Original []byte
}

// TaskStatus has the values of PidLidTaskStatus.
type TaskStatus int

// The states of a task.
const (
	TaskNotStarted TaskStatus = pst.TaskNotStarted
	TaskInProgress TaskStatus = pst.TaskInProgress
	TaskComplete   TaskStatus = pst.TaskComplete
	TaskWaiting    TaskStatus = pst.TaskWaiting
	TaskDeferred   TaskStatus = pst.TaskDeferred
)

// Names of the original text of a task or a note.
const (
	todoName = "original.ics"
	todoType = "text/calendar"
)

// calendarUID is PidNameCalendarUid, [MS-OXPROPS]: the UID of an iCalendar.
var calendarUID = pst.Named{Set: pst.PSPublicStrings, Name: "urn:schemas:calendar:uid", Type: pst.String}

// lastOrdinal is PidLidTaskOrdinal as Outlook has it in items that are not sorted by
// hand.
const lastOrdinal = math.MaxInt32

// maxWork bounds times of work to what a Duration can hold; what an item can hold
// ([MS-OXOTASK] 2.2.2.2.11) is more.
const maxWork = 100_000_000 * minute

// consistent is the task as an item can have it, [MS-OXOTASK] 2.2.2.2.2 to 2.2.2.2.5.
func (t *Task) consistent() *Task {
	c := *t
	if c.Status < TaskNotStarted || c.Status > TaskDeferred {
		c.Status = TaskNotStarted
	}
	c.Percent = max(0, min(100, c.Percent))
	switch {
	case !c.Completed.IsZero() || c.Percent == 100:
		c.Status = TaskComplete
	case c.Percent > 0 && c.Status == TaskNotStarted:
		c.Status = TaskInProgress
	}
	if c.Status == TaskComplete {
		c.Percent = 100
	}
	for _, d := range []*Date{&c.Start, &c.Due, &c.Completed} {
		if d.Year == 0 || !d.valid() {
			*d = Date{}
		}
	}
	if c.Due.IsZero() {
		c.Due = c.Start
	}
	if c.Due.time().Before(c.Start.time()) {
		c.Start = c.Due
	}
	c.Importance = max(Unimportant, min(Important, c.Importance))
	c.ActualWork, c.EstimatedWork = wholeMinutes(c.ActualWork), wholeMinutes(c.EstimatedWork)
	c.Reminder = c.Reminder.UTC().Truncate(time.Second)
	if !holdable(c.Reminder) {
		c.Reminder = time.Time{}
	}
	return &c
}

// holdable tells whether an item can hold a time.
func holdable(t time.Time) bool { return t.Year() > 1601 && t.Year() < 10000 }

func wholeMinutes(d time.Duration) time.Duration {
	return max(0, min(maxWork, d)).Truncate(minute)
}

// Write makes an IPM.Task of it, one that is assigned to nobody.
func (t *Task) Write(s pst.Sink) error {
	t = t.consistent()
	s.Set(pst.P(pst.PidTagMessageClass, "IPM.Task"), pst.P(pst.PidTagIconIndex, int32(pst.IconTask)),
		pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead)), pst.P(pst.PidTagImportance, int32(t.Importance)+1),
		pst.P(pst.PidLidSideEffects, int32(pst.SideEffectCoerceToInbox)),
		pst.P(pst.PidLidTaskStatus, int32(t.Status)), pst.P(pst.PidLidPercentComplete, float64(t.Percent)/100),
		pst.P(pst.PidLidTaskComplete, t.Status == TaskComplete),
		pst.P(pst.PidLidTaskState, int32(1)), pst.P(pst.PidLidTaskOwnership, int32(0)), pst.P(pst.PidLidTaskAcceptanceState, int32(0)),
		pst.P(pst.PidLidTaskVersion, int32(1)), pst.P(pst.PidLidTaskOrdinal, int32(lastOrdinal)), pst.P(pst.PidLidTaskMode, int32(0)),
		pst.P(pst.PidLidTaskDeadOccurrence, false), pst.P(pst.PidLidTaskFCreator, true),
		pst.P(pst.PidLidTaskFFixOffline, false), pst.P(pst.PidLidTeamTask, false), pst.P(pst.PidLidTaskNoCompute, false),
		pst.P(pst.PidLidTaskActualEffort, int32(t.ActualWork/minute)), pst.P(pst.PidLidTaskEstimatedEffort, int32(t.EstimatedWork/minute)))
	setText(s, pst.PidTagSubject, oneLine(t.Subject))
	setText(s, pst.PidTagConversationTopic, oneLine(t.Subject))
	setText(s, pst.PidLidTaskOwner, t.Owner)
	setText(s, calendarUID, t.UID)
	body := t.Body
	p, ok := t.recurrence()
	switch {
	case ok:
		s.Set(pst.P(pst.PidLidTaskRecurrence, p.append(nil)), pst.P(pst.PidLidTaskResetReminder, false))
	case t.Rule != nil:
		body = alsoSaid(body, []string{"Repeats: " + t.Rule.String()})
	}
	s.Set(pst.P(pst.PidLidTaskFRecurring, ok))
	writeItem(s, body, t.Categories, t.Sensitivity, t.Created, t.Modified)
	t.writeDays(s)
	return attachOriginal(s, todoName, todoType, t.Original)
}

// writeDays sets the days as Outlook wants them: those of the task itself as midnight
// without conversion, what all items have (and the completion) as midnight of the
// zone in UTC.
func (t *Task) writeDays(s pst.Sink) {
	if !t.Start.IsZero() {
		s.Set(pst.P(pst.PidLidTaskStartDate, t.Start.time()), pst.P(pst.PidLidCommonStart, t.begin(t.Start)))
	}
	if !t.Due.IsZero() {
		s.Set(pst.P(pst.PidLidTaskDueDate, t.Due.time()), pst.P(pst.PidLidCommonEnd, t.begin(t.Due)))
	}
	if !t.Completed.IsZero() {
		s.Set(pst.P(pst.PidLidTaskDateCompleted, t.begin(t.Completed)))
	}
	s.Set(pst.P(pst.PidLidReminderSet, !t.Reminder.IsZero()), pst.P(pst.PidLidReminderDelta, int32(0)))
	if !t.Reminder.IsZero() {
		s.Set(pst.P(pst.PidLidReminderTime, t.Reminder), pst.P(pst.PidLidReminderSignalTime, t.Reminder))
	}
}

// begin is when a day begins in the zone, in UTC.
func (t *Task) begin(d Date) time.Time {
	if t.Zone == nil {
		return d.time()
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, t.Zone).UTC()
}

// writeItem sets what tasks and notes have in common.
func writeItem(s pst.Sink, body string, categories []string, sensitivity Sensitivity, created, modified time.Time) {
	if body != "" {
		setText(s, pst.PidTagBody, body)
		s.Set(pst.P(pst.PidTagNativeBody, int32(pst.NativeText)))
	}
	s.Set(pst.P(pst.PidTagSensitivity, int32(sensitivity)), pst.P(pst.PidLidPrivate, sensitivity == Private))
	setTexts(s, pst.PidNameKeywords, categories)
	if !created.IsZero() {
		s.Set(pst.P(pst.PidTagCreationTime, created.UTC()))
	}
	if !modified.IsZero() {
		s.Set(pst.P(pst.PidTagLastModificationTime, modified.UTC()))
	}
}

// TaskOf reads an IPM.Task; another item is an *ClassError. Attachments other than
// the original VTODO stay behind.
func TaskOf(it pst.Item) (*Task, error) {
	ps, err := it.Properties()
	if err != nil {
		return nil, err
	}
	if class := ps.Text(pst.PidTagMessageClass); !classIs(class, "IPM.Task") {
		return nil, &ClassError{"task", class}
	}
	t := &Task{
		Subject: tidy(itemSubject(ps)), Body: noteText(ps), Status: TaskStatus(ps.Int(pst.PidLidTaskStatus)), Percent: percentOf(ps),
		Start: readDate(ps, 0, pst.PidLidTaskStartDate), Due: readDate(ps, 0, pst.PidLidTaskDueDate), Completed: completedOf(ps),
		Owner: fieldText(ps, pst.PidLidTaskOwner), UID: fieldText(ps, calendarUID), Categories: fieldTexts(ps, pst.PidNameKeywords),
		ActualWork: workOf(ps, pst.PidLidTaskActualEffort), EstimatedWork: workOf(ps, pst.PidLidTaskEstimatedEffort),
		Sensitivity: sensitivityOf(ps), Created: timeOf(ps, pst.PidTagCreationTime), Modified: timeOf(ps, pst.PidTagLastModificationTime),
	}
	if words := t.ruleOf(ps); words != "" {
		t.Body = alsoSaid(t.Body, []string{"Repeats: " + words})
	}
	if ps.Bool(pst.PidLidTaskComplete) {
		t.Status = TaskComplete
	}
	if ps.Bool(pst.PidLidReminderSet) {
		t.Reminder = timeOf(ps, pst.PidLidReminderTime)
	}
	if _, ok := ps.Get(pst.PidTagImportance); ok {
		t.Importance = Importance(min(2, max(0, ps.Int(pst.PidTagImportance)))) - 1
	}
	t.Original, err = originalOf(it, todoName, todoType)
	return t.consistent(), err
}

func percentOf(ps pst.Properties) int {
	f := get[float64](ps, pst.PidLidPercentComplete)
	if !(f >= 0 && f <= 1) {
		return 0
	}
	return int(math.Round(f * 100))
}

// completedOf reads the day of completion. It is midnight of a zone that is not known,
// in UTC: the day is that of twelve hours later.
func completedOf(ps pst.Properties) Date {
	t := ps.Time(pst.PidLidTaskDateCompleted)
	if t.IsZero() {
		return Date{}
	}
	return dayOf(t.UTC().Add(12 * hour))
}

func workOf(ps pst.Properties, k pst.Named) time.Duration {
	return time.Duration(max(0, min(int64(maxWork/minute), ps.Int(k)))) * minute
}

// originalOf reads the text that an item was made from, or gives nil.
func originalOf(it pst.Item, name, media string) ([]byte, error) {
	for a, err := range it.Attachments() {
		if err != nil {
			return nil, err
		}
		ps, err := a.Properties()
		if err != nil {
			return nil, err
		}
		if isOriginal(ps, name, media) {
			return readAttached(a)
		}
	}
	return nil, nil
}

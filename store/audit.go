package store

import (
	"fmt"
	"time"

	"keepwatch"
)

// Keys: audit/<time in UTC, to the nanosecond>/<request id>.

const auditTime = "2006-01-02T15:04:05.000000000Z"

func auditKey(e keepwatch.AuditEntry) string {
	return fmt.Sprintf("audit/%s/%s", e.At.UTC().Format(auditTime), e.ID)
}

// BeginAudit saves the line of a request before it acts.
func (r *Records) BeginAudit(e keepwatch.AuditEntry) error {
	e.Version = version
	return r.store.Update(func(tx Tx) error { return put(tx, auditKey(e), e) })
}

// EndAudit completes the line. At and ID say which one it is. Its request is
// answered, and will not be carried out again.
func (r *Records) EndAudit(e keepwatch.AuditEntry) error {
	e.Version = version
	return r.store.Update(func(tx Tx) error {
		if err := tx.Delete(requestKey(e.ID)); err != nil {
			return err
		}
		return put(tx, auditKey(e), e)
	})
}

// Audits gives the lines that a filter lets through, newest first. It reads no
// further back than the filter's times, nor than its limit.
func (r *Records) Audits(f keepwatch.AuditFilter) ([]keepwatch.AuditEntry, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	in := Range{Prefix: "audit/", Reverse: true}
	if !f.Since.IsZero() {
		in.From = "audit/" + f.Since.UTC().Format(auditTime)
	}
	if !f.Until.IsZero() {
		in.To = "audit/" + f.Until.UTC().Add(time.Nanosecond).Format(auditTime)
	}
	var list []keepwatch.AuditEntry
	err := scan(r.store, in, func(e keepwatch.AuditEntry) error {
		if (f.Person != "" && e.Person != f.Person) || (f.Source != "" && e.Source != f.Source) {
			return nil
		}
		if list = append(list, e); len(list) >= f.Limit {
			return ErrStop
		}
		return nil
	})
	return list, err
}

package handlers

import (
	"testing"
	"time"

	"keepwatch"
	"keepwatch/store"
	"keepwatch/store/mem"
)

// TestWalksOverTheStore goes through every checklist twice over the store that it is
// kept in: the second is a new walk, and each leaves its words.
func TestWalksOverTheStore(t *testing.T) {
	for _, list := range newSchool(t).lists {
		t.Run(list.ID, func(t *testing.T) {
			s := newSchool(t)
			records := store.NewRecords(mem.New(), func() time.Time { return s.now })
			s.cfg.Duties.Walks, s.cfg.Duties.Attestations = records, records
			begin := list.Group + " " + list.Topic
			if list.Group == drillGroup {
				begin = "authenticator drill Alis"
			}
			for range 2 {
				msg := s.says("slack:U1", begin)
				for range list.Steps {
					label, value := forward(msg)
					if msg = s.press(t, "slack:U1", msg, label, value); msg.Failed {
						t.Fatal(plain(msg))
					}
				}
			}
			walks, err := records.Walks("Alis", 9)
			if err != nil || len(walks) != 2 || walks[0].Outcome != keepwatch.AttestedDone || walks[0].Revision != len(list.Steps) || len(walks[0].Times) != len(list.Steps) {
				t.Errorf("kept: %+v, %v", walks, err)
			}
			subject := keepwatch.ChecklistSubject(list.ID)
			if list.Group == drillGroup {
				subject = keepwatch.DrillSubject("Alis")
			}
			if words, err := records.Attestations(subject, 9); err != nil || len(words) != 2 {
				t.Errorf("attested: %+v, %v", words, err)
			}
		})
	}
}

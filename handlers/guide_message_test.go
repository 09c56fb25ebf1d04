package handlers

import (
	"strings"
	"testing"
)

// TestGuideMessages holds the messages to the texts that were read and found good.
func TestGuideMessages(t *testing.T) {
	s := newSchool(t)
	golden(t, "guide-topics", plain(s.says("slack:U3", "authenticator guide")))
	msg := s.says("slack:U1", "authenticator guide ios")
	golden(t, "guide-ios-first", plain(msg))
	for range 8 {
		label, value := forward(msg)
		msg = s.press(t, "slack:U1", msg, label, value)
	}
	golden(t, "guide-ios-custody", plain(msg))
	golden(t, "guide-ios-custody-terminal", plain(s.says("terminal:alis", "keepwatch steps l1")))
	golden(t, "guide-ios-unknown", plain(s.press(t, "slack:U1", msg, "I do not know")))
	golden(t, "guide-ios-again", plain(s.says("slack:U1", "authenticator guide ios")))
	golden(t, "guide-steps-mine", plain(s.says("slack:U1", "keepwatch steps")))
	msg = s.press(t, "slack:U1", s.says("slack:U1", "keepwatch steps l1"), "Answer…", "in the safe, blue folder")
	golden(t, "guide-ios-date", plain(msg))
	golden(t, "guide-ios-end", plain(s.press(t, "slack:U1", msg, "Answer…", "2026-11-20")))

	msg = s.says("slack:U3", "backup guide outlook-pst")
	golden(t, "guide-pst-first", plain(msg))
	for range 6 {
		label, value := forward(msg)
		msg = s.press(t, "slack:U3", msg, label, value)
	}
	msg = s.press(t, "slack:U3", msg, "Problem")
	golden(t, "guide-pst-problem", plain(msg))
	msg = s.press(t, "slack:U3", msg, "Write what happened…", "it wants a password of 20 characters")
	golden(t, "guide-pst-remark", plain(msg))
	msg = s.press(t, "slack:U3", s.press(t, "slack:U3", msg, "Go on without it"), "No password")
	msg = s.press(t, "slack:U3", msg, "Done")
	golden(t, "guide-pst-hand-in", plain(msg))
	msg = s.press(t, "slack:U3", s.press(t, "slack:U3", msg, "Done"), "Done")
	golden(t, "guide-pst-end", plain(msg))

	golden(t, "guide-none", plain(s.says("slack:U3", "authenticator guide iso")))
	msg = s.says("slack:U3", "authenticator recover ios-to-android")
	golden(t, "guide-choice", plain(msg))
	golden(t, "guide-stopped", plain(s.press(t, "slack:U3", msg, "Stop")))
	golden(t, "guide-steps-none", plain(s.says("slack:U3", "keepwatch steps")))
}

// TestGuideWhole is a whole checklist as somebody reads it whose phone is gone.
func TestGuideWhole(t *testing.T) {
	s := newSchool(t)
	var all strings.Builder
	msg := s.says("slack:U1", "authenticator recover lost-admin")
	for range len(s.lists) {
		all.WriteString(plain(msg) + "\n")
		label, value := forward(msg)
		if label == "" {
			break
		}
		msg = s.press(t, "slack:U1", msg, label, value)
	}
	golden(t, "guide-whole", all.String())
}

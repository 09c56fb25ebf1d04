package pim

import (
	"testing"
	"time"
)

func TestLoadZone(t *testing.T) {
	for name, want := range map[string]string{"W. Europe Standard Time": "Europe/Berlin", "Europe/Oslo": "Europe/Oslo", "UTC": "UTC", "UTC+01:00": "UTC+01:00", "Nowhere": "", "": "", "Local": ""} {
		got := ""
		if l := LoadZone(name); l != nil {
			got = l.String()
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if got := WindowsZone("Europe/Oslo"); got != "W. Europe Standard Time" {
		t.Error(got)
	}
	if LoadZone("UTC") != time.UTC {
		t.Error("UTC is another zone")
	}
}

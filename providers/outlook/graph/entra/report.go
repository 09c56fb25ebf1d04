package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
)

// MostNamed is how many people a report names.
const MostNamed = 20

// Report is what the tenant's report of registrations says, of everybody who is not
// disabled. Microsoft makes it anew every few hours.
type Report struct {
	At      time.Time // the oldest line of it; zero: there is none
	People  int
	Capable int      // who have a second factor that they may use
	Without []string // sign-in names of those who have none, at most MostNamed
	Admins  []Registration
}

// Registration is what the report says of an administrator.
type Registration struct {
	ID      string // the person's, in the directory
	UPN     string // sign-in name
	Capable bool
	Methods []keepwatch.SignInKind
	At      time.Time
}

type registrationDetails struct {
	ID      string    `json:"id"`
	UPN     string    `json:"userPrincipalName"`
	Admin   bool      `json:"isAdmin"`
	Capable bool      `json:"isMfaCapable"`
	Methods []string  `json:"methodsRegistered"`
	At      time.Time `json:"lastUpdatedDateTime"`
}

// reported are the sign-in kinds by the words of the report.
var reported = map[string]keepwatch.SignInKind{
	"microsoftAuthenticatorPush": keepwatch.SignInAuthenticator, "microsoftAuthenticatorPasswordless": keepwatch.SignInAuthenticator,
	"softwareOneTimePasscode": keepwatch.SignInCodes, "hardwareOneTimePasscode": keepwatch.SignInCodes,
	"mobilePhone": keepwatch.SignInPhone, "alternateMobilePhone": keepwatch.SignInPhone, "officePhone": keepwatch.SignInPhone, "email": keepwatch.SignInEmail,
	"fido2SecurityKey": keepwatch.SignInKey, "passKeyDeviceBound": keepwatch.SignInKey, "passKeyDeviceBoundAuthenticator": keepwatch.SignInPhonePasskey,
	"windowsHelloForBusiness": keepwatch.SignInWindows, "passKeyDeviceBoundWindowsHello": keepwatch.SignInWindows, "macOsSecureEnclaveKey": keepwatch.SignInPlatform,
	"temporaryAccessPass": keepwatch.SignInPass,
}

const registrationsPath = "/reports/authenticationMethods/userRegistrationDetails"

// Report reads the report of registrations, of everybody or of administrators only. It
// may be asked for five times in ten seconds, and needs a licence of Entra ID P1.
func (d *Directory) Report(ctx context.Context, adminsOnly bool) (Report, []Lack, error) {
	filter := ""
	if adminsOnly {
		filter = "?$filter=isAdmin%20eq%20true"
	}
	r, err := d.report(ctx, registrationsPath+filter)
	var e *graph.Error
	if adminsOnly && errors.As(err, &e) && e.Status == http.StatusBadRequest { // the documents do not promise this filter
		r, err = d.report(ctx, registrationsPath)
	}
	lacks, err := lack(err, readReport, "Who has registered a second factor")
	if err != nil {
		return Report{}, nil, fmt.Errorf("read the report of registrations: %w", err)
	}
	return r, lacks, nil
}

func (d *Directory) report(ctx context.Context, path string) (Report, error) {
	var r Report
	err := list(ctx, d, path, func(row registrationDetails) {
		r.People++
		if row.Capable {
			r.Capable++
		} else if len(r.Without) < MostNamed {
			r.Without = append(r.Without, row.UPN)
		}
		if r.At.IsZero() || row.At.Before(r.At) {
			r.At = row.At
		}
		if !row.Admin {
			return
		}
		a := Registration{ID: row.ID, UPN: row.UPN, Capable: row.Capable, At: row.At}
		for _, m := range row.Methods {
			kind := reported[m]
			switch {
			case m == "securityQuestion": // resets a password and signs nobody in
				continue
			case kind == "":
				kind = keepwatch.SignInOther
			}
			a.Methods = append(a.Methods, kind)
		}
		r.Admins = append(r.Admins, a)
	})
	if err != nil {
		return Report{}, err
	}
	return r, nil
}

package respond

import (
	"fmt"

	"github.com/sallyport-go/sallyport/core"
)

// English returns the default texts of pages. Each call returns a new copy.
func English() Texts {
	return Texts{
		Language: "en",
		Denials: map[string]Wording{
			core.CodeAuthenticationRequired: {"Please sign in", "You need to sign in to see this page."},
			core.CodeInvalidCredentials:     {"Please sign in again", "Your sign-in was not accepted or has ended."},
			core.CodeInvalidToken:           {"Please sign in again", "Your sign-in was not accepted or has ended."},
			core.CodeInvalidRequest:         {"This request is unclear", "It carries sign-in details that contradict each other. Close other windows of this site, or delete its cookies, and try again."},
			core.CodeAmbiguousPath:          {"This address is unclear", "It can be read in more than one way. Check the link that brought you here."},
			core.CodeForbidden:              {"You do not have access", "You are signed in, but this account may not do this. Signing in again with the same account will not help."},
			core.CodeInsufficientScope:      {"You do not have access", "You are signed in, but not with a permission that this needs."},
			core.CodeStepUp:                 {"Please confirm that it is you", "This needs a stronger or more recent sign-in."},
			core.CodeCrossSite:              {"This was not carried out", "The request came from another site. If you meant it, open this site and repeat it there."},
			core.CodeTooManyAttempts:        {"Please wait a little", "There have been too many attempts to sign in."},
			core.CodeUnavailable:            {"Back in a moment", "We cannot check your access right now. Nothing is wrong with your account, and you need not sign in again."},
			core.CodeInternal:               {"Something went wrong", "The request could not be completed. The fault is ours."},
		},
		SignIn:        "Sign in",
		SwitchAccount: "Use another account",
		Retry:         "Try again",
		Contact:       "Ask %s for access",
		Wait: func(seconds int) string {
			return "Try again in " + wait(seconds, "second", "seconds", "minute", "minutes") + "."
		},
		RequestID: "Request ID:",
	}
}

// German returns the texts of pages in German. Each call returns a new copy.
func German() Texts {
	return Texts{
		Language: "de",
		Denials: map[string]Wording{
			core.CodeAuthenticationRequired: {"Bitte melden Sie sich an", "Diese Seite können Sie nur sehen, wenn Sie angemeldet sind."},
			core.CodeInvalidCredentials:     {"Bitte melden Sie sich neu an", "Ihre Anmeldung wurde nicht angenommen oder ist abgelaufen."},
			core.CodeInvalidToken:           {"Bitte melden Sie sich neu an", "Ihre Anmeldung wurde nicht angenommen oder ist abgelaufen."},
			core.CodeInvalidRequest:         {"Diese Anfrage ist nicht eindeutig", "Sie enthält Anmeldedaten, die einander widersprechen. Schließen Sie andere Fenster dieser Website oder löschen Sie deren Cookies, und versuchen Sie es noch einmal."},
			core.CodeAmbiguousPath:          {"Diese Adresse ist nicht eindeutig", "Sie lässt sich auf mehr als eine Weise lesen. Prüfen Sie den Link, der Sie hierher geführt hat."},
			core.CodeForbidden:              {"Sie haben keinen Zugriff", "Sie sind angemeldet, aber dieses Konto ist dafür nicht berechtigt. Eine neue Anmeldung mit demselben Konto ändert daran nichts."},
			core.CodeInsufficientScope:      {"Sie haben keinen Zugriff", "Sie sind angemeldet, aber ohne eine Berechtigung, die hierfür nötig ist."},
			core.CodeStepUp:                 {"Bitte bestätigen Sie, dass Sie es sind", "Hierfür ist eine stärkere oder neuere Anmeldung nötig."},
			core.CodeCrossSite:              {"Das wurde nicht ausgeführt", "Die Anfrage kam von einer anderen Website. Wenn Sie sie wollten, öffnen Sie diese Website und wiederholen Sie sie dort."},
			core.CodeTooManyAttempts:        {"Bitte warten Sie etwas", "Es gab zu viele Anmeldeversuche."},
			core.CodeUnavailable:            {"Gleich geht es weiter", "Ihr Zugriff lässt sich gerade nicht prüfen. Mit Ihrem Konto ist alles in Ordnung, und Sie müssen sich nicht neu anmelden."},
			core.CodeInternal:               {"Da ist etwas schiefgegangen", "Die Anfrage ließ sich nicht ausführen. Der Fehler liegt bei uns."},
		},
		SignIn:        "Anmelden",
		SwitchAccount: "Anderes Konto verwenden",
		Retry:         "Noch einmal versuchen",
		Contact:       "Zugriff erbitten: %s",
		Wait: func(seconds int) string {
			return "Versuchen Sie es in " + wait(seconds, "Sekunde", "Sekunden", "Minute", "Minuten") + " noch einmal."
		},
		RequestID: "Kennung der Anfrage:",
	}
}

// wait formats a duration in words: in seconds, or from two minutes on in whole
// minutes, rounded up.
func wait(seconds int, second, moreSeconds, minute, moreMinutes string) string {
	n, one, more := seconds, second, moreSeconds
	if seconds >= 120 {
		n, one, more = (seconds+59)/60, minute, moreMinutes
	}
	if n == 1 {
		more = one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// The sign-in dialog of a page whose session ends while it is open.

const user = document.body.dataset.user; // whom the page was made for
const dialog = document.querySelector("#sign-in");
const form = dialog.querySelector("form");
const message = dialog.querySelector("[role=alert]");
const submit = form.querySelector("[type=submit]");

/**
 * Opens the dialog. It resolves to true once the user of the page has signed in
 * again, and to false when the dialog is closed. Who signs in as somebody else
 * gets a new page: what this one was about to do was another's.
 */
export function signIn() {
  form.reset();
  form.user.value = user;
  message.textContent = "";
  dialog.returnValue = "";
  dialog.showModal();
  form.password.focus();
  return new Promise((resolve) => {
    const closed = () => resolve(dialog.returnValue === "signed in");
    dialog.addEventListener("close", closed, { once: true });
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  message.textContent = "";
  submit.disabled = true;
  try {
    const response = await fetch("/api/login", {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    const answer = await response.json();
    if (!response.ok) {
      form.password.value = "";
      message.textContent = answer.detail;
    } else if (answer.user !== user) {
      location.reload();
    } else {
      dialog.close("signed in");
    }
  } catch {
    message.textContent = "The service cannot be reached. Try again.";
  } finally {
    submit.disabled = false;
    if (dialog.open) {
      form.password.focus();
    }
  }
});

dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close(""));

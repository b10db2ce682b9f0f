// Share a recording: with everybody, with people who have an account, by links.

import { copyFrom } from "./copy_field.js";
import { date } from "./dates.js";
import { open, showProblem } from "./dialogs.js";
import { api, at, byId, make, makeButton, send } from "./dom.js";
import { t } from "./text.js";

const LEVELS = { view: t("reads and hears it"), edit: t("changes it, too") };

/**
 * @param {string} base the path of the recording
 * @param {string} id of the recording
 */
export function listenToShare(base, id) {
  const dialog = byId("share-dialog");
  const say = (text) => {
    byId("share-said").textContent = text;
  };

  /** Do it, show what is shared then, and say in the dialog why it did not work. */
  async function act(action) {
    showProblem(dialog, null);
    say("");
    try {
      await action();
      show(await api(`${base}/shares`));
    } catch (error) {
      showProblem(dialog, error.message);
    }
  }

  const button = (text, label, action) => makeButton(text, label, action, "small");

  /** @param {import("../types").SharedPerson} person */
  function showPerson({ user_id: user, email, level }) {
    const remove = button(t("Remove"), t("Stop sharing with {email}", { email }), () =>
      act(() => send(`${base}/shares/people/${user}`, "DELETE")),
    );
    return make(
      "li",
      { className: "shared" },
      make("span", {}, make("strong", {}, email), ` ${LEVELS[level]}`),
      remove,
    );
  }

  const selected = t("This browser does not let the page copy. The link is selected: press Ctrl+C.");

  /** @param {import("../types").ShareLink} link */
  function showLink(link) {
    const about = [
      link.is_expired
        ? t("expired")
        : link.expires_at
          ? t("until {when}", { when: date(link.expires_at) })
          : t("always open"),
      link.has_password ? t("with a password") : null,
      link.with_sound ? t("with the sound") : t("without the sound"),
      link.last_opened_at ? t("last opened {when}", { when: date(link.last_opened_at) }) : t("not opened yet"),
    ];
    const field = make("input", { readOnly: true, value: link.url, ariaLabel: t("Link") });
    const path = `${base}/shares/links/${link.id}`;
    const code = make("img", { alt: t("QR code of {url}", { url: link.url }), className: "qr", hidden: true });
    const showCode = button(t("QR code"), t("Show the link as a QR code"), () => {
      code.src = at(`${path}/qr`);
      code.hidden = !code.hidden;
      showCode.setAttribute("aria-expanded", String(!code.hidden));
    });
    showCode.setAttribute("aria-expanded", "false");
    return make(
      "li",
      {},
      make(
        "div",
        { className: "link-line" },
        field,
        makeButton(t("Copy"), t("Copy this link"), () => copyFrom(field, say, selected)),
      ),
      make(
        "div",
        { className: "shared" },
        make("span", { className: "meta" }, about.filter(Boolean).join(" · ")),
        make(
          "span",
          { className: "link-actions" },
          showCode,
          make("a", { href: at(`/transcripts/${id}?preview=${link.id}`), target: "_blank" }, t("Preview")),
          button(t("Remove"), t("Remove this link"), () => act(() => send(path, "DELETE"))),
        ),
      ),
      code,
    );
  }

  /** @param {import("../types").Shares} shares */
  function show({ people, links }) {
    byId("share-people").replaceChildren(...people.map(showPerson));
    byId("share-links").replaceChildren(...links.map(showLink));
  }

  byId("share-open").addEventListener("click", () => {
    open(dialog);
    act(async () => {});
  });
  byId("share").addEventListener("change", ({ target }) =>
    act(() => send(base, "PATCH", { share_mode: target.value })),
  );
  byId("share-person").addEventListener("submit", (event) => {
    event.preventDefault();
    const { email, level } = event.target.elements;
    act(async () => {
      await send(`${base}/shares/people`, "PUT", { email: email.value, level: level.value });
      email.value = "";
    });
  });
  byId("share-link").addEventListener("submit", (event) => {
    event.preventDefault();
    const { days, password, sound } = event.target.elements;
    act(async () => {
      await send(`${base}/shares/links`, "POST", {
        expires_in_days: days.value ? Number(days.value) : null,
        password: password.value || null,
        with_sound: sound.checked,
      });
      password.value = "";
      byId("share-links").querySelector("input")?.focus();
    });
  });
}

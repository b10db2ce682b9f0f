// Summary templates: written, changed, removed.

import { listenToCloseButtons, onSubmit, open, showProblem } from "./dialogs.js";
import { all, api, byId, enableControls, make, makeButton, send } from "./dom.js";
import { listOf } from "./list.js";
import { t } from "./text.js";

const dialog = byId("template");

/** The one that the dialog is about; null for a new one. @type {import("../types").SummaryTemplate | null} */
let asked = null;

function ask(template, name, instructions) {
  asked = template;
  byId("template-name").value = name;
  byId("template-instructions").value = instructions;
  if (byId("template-for-all")) byId("template-for-all").checked = template?.is_for_all ?? false;
  byId("template-remove").hidden = !template;
  open(dialog);
}

/** @param {import("../types").SummaryTemplate} template */
function row(template) {
  const { name, instructions } = template;
  const begin = () => ask(template, name, instructions);
  return make(
    "li",
    {},
    make("strong", { dir: "auto" }, name),
    template.is_for_all ? make("span", { className: "meta" }, ` ${t("for everybody")}`) : null,
    " ",
    template.is_mine ? makeButton(t("Edit"), t("Edit the template {name}", { name }), begin, "link") : null,
    make("div", { className: "meta", dir: "auto" }, instructions),
  );
}

const show = listOf(() => api("/v1/summary-templates"), row);

onSubmit(dialog, async () => {
  const body = {
    name: byId("template-name").value,
    instructions: byId("template-instructions").value,
    ...(byId("template-for-all") ? { is_for_all: byId("template-for-all").checked } : {}),
  };
  if (asked) await send(`/v1/summary-templates/${asked.id}`, "PATCH", body);
  else await send("/v1/summary-templates", "POST", body);
  show();
  return true;
});
byId("template-remove").addEventListener("click", async () => {
  try {
    await send(`/v1/summary-templates/${asked?.id}`, "DELETE");
    dialog.close();
    show();
  } catch (error) {
    showProblem(dialog, error.message);
  }
});
byId("new").addEventListener("click", () => ask(null, "", ""));
for (const button of all("[data-example]")) {
  button.addEventListener("click", () => ask(null, button.dataset.example, button.dataset.instructions));
}
listenToCloseButtons();
enableControls();
show();

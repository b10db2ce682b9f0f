// Every page but the library goes on with uploads that are not done; without any it loads nothing more.

import { byId } from "../dom.js";
import { list } from "./store.js";

const { user } = byId("uploading").dataset;

if ((await list()).some((upload) => upload.user === user)) {
  const [queue, view] = await Promise.all([import("./queue.js"), import("./view.js")]);
  queue.start(user, view.showSign, () => {});
}

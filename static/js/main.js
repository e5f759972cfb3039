/* Everything an agent's page needs. Each module listens on the document, so swapped pieces need no wiring. */
import "./patch.js";
import "./keys.js";
import "./list.js";
import "./timeline.js";
import "./mail.js";
import "./card.js";
import "./proposal.js";
import "./review.js";
import "./composer.js";
import "./me.js";
import "./live.js";

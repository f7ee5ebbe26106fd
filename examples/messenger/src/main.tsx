import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import "./styles/app.css";
import "./styles/rooms.css";
import "./styles/conversation.css";
import "./styles/message.css";
import "./styles/composer.css";
import "./styles/panels.css";

const main = document.getElementById("main");
if (main) {
  createRoot(main).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

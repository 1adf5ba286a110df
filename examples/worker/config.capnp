using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "worker.js", esModule = embed "bundle/worker.js"),
      (name = "simd.wasm", wasm = embed "bundle/simd.wasm"),
      (name = "relaxed.wasm", wasm = embed "bundle/relaxed.wasm"),
      (name = "model.safetensors", data = embed "bundle/model.safetensors"),
    ],
    compatibilityDate = "2026-11-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);

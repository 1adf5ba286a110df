// Sends readings over a WebSocket, each after the answer to the one before, and prints the answers: readings.mjs
// ADDRESS READING…
const [address, ...readings] = process.argv.slice(2);
const socket = new WebSocket(`ws://${address}`);
const answers = [];
const send = () => socket.send(readings[answers.length]);
socket.onopen = send;
socket.onmessage = ({ data }) => {
  answers.push(JSON.parse(data));
  if (answers.length < readings.length) return send();
  console.log(JSON.stringify(answers));
  socket.close();
};

// A quiet tone and a mark in the title when a customer writes: only for who wishes it, until they look.

let heard = null; // the newest word of a customer that was there at the last look
let unseen = false;

for (const name of ["focus", "pointerdown", "keydown"]) addEventListener(name, () => (unseen = false));

/** Whether something is new since somebody looked; says so with a tone once. */
export function announce(tickets, wished) {
  const newest = Math.max(0, ...tickets.flatMap((ticket) => ticket.comments.filter((one) => one.author_id === ticket.requester.id || one === ticket.comments[0]).map((one) => one.id)));
  const fresh = heard !== null && newest > heard;
  heard = newest;
  if (wished && fresh) {
    unseen = !document.hasFocus();
    tone();
  }
  return wished && unseen;
}

function tone() {
  const audio = new AudioContext(); // silent until the page was touched once: browsers wish so
  const [sound, volume] = [audio.createOscillator(), audio.createGain()];
  sound.frequency.value = 660;
  volume.gain.setValueAtTime(0.04, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.35);
  sound.connect(volume).connect(audio.destination);
  sound.onended = () => audio.close();
  sound.start();
  sound.stop(audio.currentTime + 0.35);
}

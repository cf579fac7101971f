// What is worth trying, for anybody; a customer's own `tries` come first.

export const SUGGESTIONS = [
  "Hi!",
  "Where is my order?",
  "What is your return policy?",
  "Can I return something I bought on sale?",
  "How long do refunds take?",
  "mera order kab aayega?",
  "I want to cancel my order",
  "Do you match prices?",
  "This is unacceptable, the parcel came torn!",
  "I'd like to talk to a person",
];

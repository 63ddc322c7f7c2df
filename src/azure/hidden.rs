//! What Azure repeats of a secret that it was sent is not kept.

use crate::domain::observation::{Answer, Poll};
use crate::domain::vocabulary::AzureWords;

/// Azure's words are kept as they are, unless they repeat the account's key, which it was sent with the request.
pub(super) struct WithoutKey<'a>(pub(super) Option<&'a str>);

impl WithoutKey<'_> {
    fn text(&self, text: String) -> String {
        match self.0 {
            Some(key) => text.replace(key, "(the account's key)"),
            None => text,
        }
    }

    fn words(&self, words: AzureWords) -> AzureWords {
        AzureWords { code: self.text(words.code), message: self.text(words.message), ..words }
    }

    pub(super) fn answer(&self, answer: Answer) -> Answer {
        match answer {
            Answer::Busy(words) => Answer::Busy(self.words(words)),
            Answer::Refused(words) => Answer::Refused(self.words(words)),
            Answer::NoToken(why) => Answer::NoToken(self.text(why)),
            Answer::Unknown(why) => Answer::Unknown(self.text(why)),
            answer @ Answer::Accepted { .. } => answer,
        }
    }

    pub(super) fn poll(&self, poll: Poll) -> Poll {
        match poll {
            Poll::Failed(words) => Poll::Failed(self.words(words)),
            Poll::Unknown(why) => Poll::Unknown(self.text(why)),
            poll @ (Poll::Running { .. } | Poll::Ended) => poll,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> AzureWords {
        AzureWords {
            status: 400,
            code: "Invalid-k3y".to_owned(),
            message: "accessKey 'k3y' is invalid".to_owned(),
        }
    }

    #[test]
    fn no_answer_keeps_the_key_that_it_repeats() {
        let said = "HTTP 401: accessKey k3y".to_owned();
        let hidden = WithoutKey(Some("k3y"));
        let answers = [
            Answer::Busy(words()),
            Answer::Refused(words()),
            Answer::NoToken(said.clone()),
            Answer::Unknown(said.clone()),
        ];
        for answer in answers {
            let kept = format!("{:?}", hidden.answer(answer));
            assert!(!kept.contains("k3y") && kept.contains("(the account's key)"), "{kept}");
        }
        for poll in [Poll::Failed(words()), Poll::Unknown(said)] {
            let kept = format!("{:?}", hidden.poll(poll));
            assert!(!kept.contains("k3y") && kept.contains("(the account's key)"), "{kept}");
        }
    }

    #[test]
    fn without_a_key_words_stay_as_they_are() {
        assert_eq!(WithoutKey(None).answer(Answer::Refused(words())), Answer::Refused(words()));
    }
}

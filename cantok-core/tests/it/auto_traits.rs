//! Tokens and errors can be sent, shared and unwound through, and are small.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::vec;

use cantok_core::adapter::{Allowance, Cancelling, WakerRegistration, WeakToken};
use cantok_core::{
    CancellationError, Cancelled, Cause, ConditionToken, CounterToken, DefaultToken, DropGuard,
    IdleToken, ImpossibleCancelError, Reason, Registration, SimpleToken, TimeoutToken, Token,
    Touching, TryWithToken, WithToken,
};

fn goes_everywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe + Unpin + Debug>() {}

fn is_a_token<T: Clone + Eq + Hash + Debug + Display + Into<Token> + 'static>()
where
    for<'t> Token: From<&'t T>,
{
}

fn is_an_error<T: Error + Clone + Send + Sync + 'static>() {}

#[test]
fn every_token_goes_everywhere() {
    goes_everywhere::<Token>();
    goes_everywhere::<SimpleToken>();
    goes_everywhere::<ConditionToken>();
    goes_everywhere::<TimeoutToken>();
    goes_everywhere::<IdleToken>();
    goes_everywhere::<Touching<Vec<u8>>>();
    goes_everywhere::<cantok_core::io::WithToken<Vec<u8>>>();
    goes_everywhere::<CounterToken>();
    goes_everywhere::<DefaultToken>();
}

#[test]
fn every_error_goes_everywhere() {
    goes_everywhere::<CancellationError>();
    goes_everywhere::<Cause>();
    goes_everywhere::<Reason>();
    goes_everywhere::<ImpossibleCancelError>();
}

#[test]
fn every_guard_goes_everywhere() {
    goes_everywhere::<Registration>();
    goes_everywhere::<Allowance<'_>>();
    goes_everywhere::<WakerRegistration>();
    goes_everywhere::<WakerRegistration<&Token>>();
    goes_everywhere::<Cancelled>();
    goes_everywhere::<Cancelled<&Token>>();
    goes_everywhere::<DropGuard>();
    goes_everywhere::<WeakToken>();
}

#[test]
fn a_cancel_in_two_steps_can_be_finished_elsewhere() {
    fn is_sent<T: Send + Unpin + Debug>() {}
    is_sent::<Cancelling>();
}

#[test]
fn an_iterator_goes_where_its_base_goes() {
    goes_everywhere::<WithToken<vec::IntoIter<u8>>>();
    goes_everywhere::<TryWithToken<vec::IntoIter<u8>>>();
}

#[test]
fn every_token_is_compared_hashed_shown_and_erased() {
    is_a_token::<Token>();
    is_a_token::<SimpleToken>();
    is_a_token::<ConditionToken>();
    is_a_token::<TimeoutToken>();
    is_a_token::<IdleToken>();
    is_a_token::<CounterToken>();
    is_a_token::<DefaultToken>();
}

#[test]
fn a_cancellation_error_is_an_error() {
    is_an_error::<CancellationError>();
}

#[test]
fn an_impossible_cancel_is_an_error() {
    fn is_an_error<T: Error + Send + Sync + 'static>() {}
    is_an_error::<ImpossibleCancelError>();
}

#[test]
fn a_cause_is_cloned_compared_and_shown() {
    fn is_a_cause<T: Clone + PartialEq + Debug + Send + Sync + 'static>() {}
    is_a_cause::<Cause>();
}

#[test]
fn tokens_with_a_natural_start_have_a_default() {
    fn has_a_default<T: Default>() {}
    has_a_default::<SimpleToken>();
    has_a_default::<DefaultToken>();
}

#[test]
fn a_default_token_is_copied() {
    fn is_copied<T: Copy>() {}
    is_copied::<DefaultToken>();
}

#[test]
fn a_token_and_an_error_are_one_pointer_wide() {
    assert_eq!(size_of::<Token>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Token>>(), size_of::<usize>());
    assert_eq!(size_of::<CancellationError>(), size_of::<usize>());
}

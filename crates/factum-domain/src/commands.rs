//! Owns the list of commands an application decides: one type, or a tuple of them.

use crate::Command;

/// One command, or a tuple of up to eight; tuples nest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command, nor a tuple of commands",
    label = "not a command",
    note = "`.commands::<(Enrol, Withdraw)>()`, each with `#[derive(Command)] #[command(name = \"context.verb\")]`"
)]
pub trait Commands {
    /// Shows each of them to `visitor`.
    #[doc(hidden)]
    fn visit(visitor: &mut impl CommandVisitor);
}

/// Takes the commands of a list, one after another.
#[doc(hidden)]
pub trait CommandVisitor {
    /// The next one.
    fn command<C: Command>(&mut self);
}

#[diagnostic::do_not_recommend]
impl<C: Command> Commands for C {
    fn visit(visitor: &mut impl CommandVisitor) {
        visitor.command::<C>();
    }
}

macro_rules! tuple {
    ($($command:ident)+) => {
        impl<$($command: Commands),+> Commands for ($($command,)+) {
            fn visit(visitor: &mut impl CommandVisitor) {
                $($command::visit(visitor);)+
            }
        }
    };
}

tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);

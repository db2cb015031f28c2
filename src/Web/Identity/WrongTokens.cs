using FailoverHub.Web.Access.Refusals;

namespace FailoverHub.Web.Identity;

/// <summary>Wrong join tokens. A person pastes one or two of them.</summary>
internal sealed class WrongTokens(TimeProvider time) : WrongAttempts(time, PerAddressAndMinute)
{
    public const int PerAddressAndMinute = 10;
}

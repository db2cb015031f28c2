using FailoverHub.Web.Access.SignIn;

namespace FailoverHub.Web.Access.Users;

/// <summary>What the account page works with.</summary>
internal sealed class AccountDesk(Accounts accounts, OwnAccount own, Sessions sessions)
{
    public Accounts Accounts => accounts;

    public OwnAccount Own => own;

    public Sessions Sessions => sessions;
}

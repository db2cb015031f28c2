namespace FailoverHub.Web.Operations;

/// <summary>
/// Who is behind a name: what two-person rules compare, and whose rights are looked at again when something that has waited begins. Names are for people: one can be
/// given to another account later, and one person has several (his own, and those of his tokens). A closed family.
/// </summary>
internal abstract record Requester
{
    private Requester()
    {
    }

    /// <summary>Whoever runs the hub's machine: by the one-time link or the command line, without an account.</summary>
    public sealed record Machine : Requester;

    /// <summary>Somebody with an account.</summary>
    /// <param name="Id">Of the account; never used again for another one.</param>
    public sealed record Account(string Id) : Requester;

    /// <summary>A script with a token of the API.</summary>
    /// <param name="Id">Of the token.</param>
    /// <param name="Owner">Who made it, an account or the machine; null: an earlier version, which did not note that.</param>
    public sealed record Token(long Id, Requester? Owner) : Requester;

    /// <summary>The person: an account, or the machine, which is one person; null: not known. A token is whose account made it, through however many other tokens.</summary>
    public Requester? Person => this is Token token ? token.Owner?.Person : this;
}

/// <summary>What somebody may do at this moment.</summary>
/// <param name="Rights">His rights; none, when he has lost them all.</param>
/// <param name="Lost">What happened to him, to be read behind "may not any more: "; null: he has what he has.</param>
internal sealed record Standing(Rights Rights, string? Lost);

/// <summary>Knows what somebody may do at this moment, whatever he might do when he asked.</summary>
internal interface IStandingRights
{
    /// <summary>Looks it up; nothing is remembered.</summary>
    /// <param name="requester">Who; null: it is not known, and that is no right.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="System.Data.Common.DbException">The database cannot be read: nothing is known.</exception>
    Task<Standing> OfAsync(Requester? requester, CancellationToken cancellationToken);
}

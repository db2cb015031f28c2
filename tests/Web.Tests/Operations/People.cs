using FailoverHub.Web.Access;
using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Agents;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.Operations;

/// <summary>Who asks and who approves in tests of operations: people with accounts, because what has waited looks whether they are still there.</summary>
internal static class People
{
    /// <summary>Admin.</summary>
    public static readonly Actor Alice = new("alice", "192.0.2.7", null) { Rights = Rights.All, Behind = new Requester.Account("id-of-alice") };

    /// <summary>Approver.</summary>
    public static readonly Actor Bob = new("bob", "192.0.2.8", null) { Rights = Rights.Approve, Behind = new Requester.Account("id-of-bob") };

    /// <summary>Gives them their accounts, if they have none.</summary>
    public static async Task AddAsync(HubUnderTest hub)
    {
        await using HubDbContext db = hub.OpenDatabase();
        if (await db.Users.AnyAsync(TestContext.Current.CancellationToken))
        {
            return;
        }

        foreach (var (person, role) in new[] { (Alice, HubRoles.Admin), (Bob, HubRoles.Approver) })
        {
            string id = ((Requester.Account)person.Behind!).Id;
            db.Users.Add(new HubUser { Id = id, UserName = person.Name, NormalizedUserName = person.Name.ToUpperInvariant(), SecurityStamp = id });
            db.UserRoles.Add(new IdentityUserRole<string> { UserId = id, RoleId = role.ToLowerInvariant() });
        }

        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
    }
}

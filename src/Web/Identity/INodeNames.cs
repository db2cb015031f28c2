using FailoverHub.Web.Data;

namespace FailoverHub.Web.Identity;

/// <summary>What another room of the hub keeps by a node's name, and what has to follow the node to another one, or go with it: else it would be about nobody, or about somebody else.</summary>
internal interface INodeNames
{
    /// <summary>On the disk, in the transaction that renames the node.</summary>
    /// <param name="db">Of that transaction.</param>
    /// <param name="from">The old name, as the fleet writes it.</param>
    /// <param name="to">The new one.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    Task RenameAsync(HubDbContext db, string from, string to, CancellationToken cancellationToken);

    /// <summary>In memory, when it is committed. Never fails.</summary>
    /// <param name="from">The old name.</param>
    /// <param name="to">The new one.</param>
    Task RenamedAsync(string from, string to);

    /// <summary>Takes away, in the transaction that removes the node, what another machine that gets the name one day must not find. Nothing, unless a room says otherwise.</summary>
    /// <param name="db">Of that transaction.</param>
    /// <param name="name">Its name, as the fleet writes it.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    Task RemoveAsync(HubDbContext db, string name, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>In memory, when that is committed. Never fails.</summary>
    /// <param name="name">Its name.</param>
    Task RemovedAsync(string name) => Task.CompletedTask;
}

namespace FailoverHub.Web.Data;

/// <summary>Keeps a second hub away: two owners of one present would send intents against each other. Subcommands do not need it.</summary>
internal abstract class HubLock
{
    /// <summary>Takes it, and keeps it until what is returned is disposed or the process ends.</summary>
    /// <exception cref="DataFolderException">Another hub has it, or that cannot be found out.</exception>
    public abstract Task<IAsyncDisposable> TakeAsync(CancellationToken cancellationToken);
}

/// <summary>The lock of a data folder: a file that is open.</summary>
internal sealed class FolderLock(DataFolder folder) : HubLock
{
    public override Task<IAsyncDisposable> TakeAsync(CancellationToken cancellationToken) => Task.FromResult<IAsyncDisposable>(folder.LockForHub());
}

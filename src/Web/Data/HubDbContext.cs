using FailoverHub.Web.History.Search;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace FailoverHub.Web.Data;

/// <summary>
/// All that the hub keeps. Times are UTC epoch milliseconds, because SQLite cannot order by <see cref="DateTimeOffset"/>; prefixes are
/// CIDR texts. Nothing here says what is so *now*: that is only in memory, and only as long as it is fresh.
/// The model is here, whichever the database is; what differs between SQLite and PostgreSQL is in the two classes below this one, and each has
/// migrations of its own (<c>scripts/add-migration.sh</c> makes both).
/// </summary>
internal abstract class HubDbContext(DbContextOptions options) : DbContext(options)
{
    /// <summary>Which database it is, as the beginning of a sentence, without any secret.</summary>
    public abstract string Place { get; }

    /// <summary>What to ask oneself when it cannot be used.</summary>
    public abstract string WhyUnusable { get; }

    public DbSet<NodeEntity> Nodes => Set<NodeEntity>();

    public DbSet<PairEntity> Pairs => Set<PairEntity>();

    public DbSet<PairMemberEntity> PairMembers => Set<PairMemberEntity>();

    public DbSet<IntentEntity> Intents => Set<IntentEntity>();

    public DbSet<OperationEntity> Operations => Set<OperationEntity>();

    public DbSet<FreezeEntity> Freezes => Set<FreezeEntity>();

    public DbSet<HeldFailbackEntity> HeldFailbacks => Set<HeldFailbackEntity>();

    public DbSet<EventEntity> Events => Set<EventEntity>();

    public DbSet<AuditEntity> Audit => Set<AuditEntity>();

    public DbSet<AuditCheckpointEntity> AuditCheckpoints => Set<AuditCheckpointEntity>();

    public DbSet<JournalPositionEntity> JournalPositions => Set<JournalPositionEntity>();

    public DbSet<ProbeSeriesEntity> ProbeSeries => Set<ProbeSeriesEntity>();

    public DbSet<ProbeJournalEntity> ProbeJournal => Set<ProbeJournalEntity>();

    public DbSet<RawProbesEntity> RawProbes => Set<RawProbesEntity>();

    public DbSet<MinuteRollupsEntity> MinuteRollups => Set<MinuteRollupsEntity>();

    public DbSet<HourRollupsEntity> HourRollups => Set<HourRollupsEntity>();

    public DbSet<ProbeTargetEntity> ProbeTargets => Set<ProbeTargetEntity>();

    public DbSet<OutageEntity> Outages => Set<OutageEntity>();

    public DbSet<ApiTokenEntity> ApiTokens => Set<ApiTokenEntity>();

    public DbSet<SignInCodeEntity> SignInCodes => Set<SignInCodeEntity>();

    public DbSet<SessionEntity> Sessions => Set<SessionEntity>();

    public DbSet<HubUser> Users => Set<HubUser>();

    public DbSet<IdentityRole> Roles => Set<IdentityRole>();

    public DbSet<IdentityUserRole<string>> UserRoles => Set<IdentityUserRole<string>>();

    public DbSet<IdentityUserPasskey<string>> UserPasskeys => Set<IdentityUserPasskey<string>>();

    public DbSet<RequestKeyEntity> RequestKeys => Set<RequestKeyEntity>();
    public DbSet<NodeIdentityEntity> NodeIdentities => Set<NodeIdentityEntity>();

    public DbSet<NodeCertificateEntity> NodeCertificates => Set<NodeCertificateEntity>();

    public DbSet<JoinTokenEntity> JoinTokens => Set<JoinTokenEntity>();

    public DbSet<SettingEntity> Settings => Set<SettingEntity>();

    public DbSet<AlertRuleEntity> AlertRules => Set<AlertRuleEntity>();

    public DbSet<AlertChannelEntity> AlertChannels => Set<AlertChannelEntity>();

    public DbSet<AlertEntity> Alerts => Set<AlertEntity>();

    public DbSet<AlertShelfEntity> AlertShelves => Set<AlertShelfEntity>();

    public DbSet<AlertDeliveryEntity> AlertDeliveries => Set<AlertDeliveryEntity>();

    public DbSet<MaintenanceWindowEntity> MaintenanceWindows => Set<MaintenanceWindowEntity>();

    /// <summary>Brings the database to the newest schema; of several processes that want it at once one does it and the others wait.</summary>
    /// <exception cref="DataFolderException">Another process has been at it for half a minute, or a newer program has been.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await RefuseUnknownAsync(cancellationToken);
        if (await HasPendingMigrationsAsync(cancellationToken))
        {
            await MigrateAloneAsync(cancellationToken);
        }
    }

    /// <summary>It has tables, and not all that this program wants of them.</summary>
    public async Task<bool> IsOlderAsync(CancellationToken cancellationToken) =>
        (await Database.GetAppliedMigrationsAsync(cancellationToken)).Any() && await HasPendingMigrationsAsync(cancellationToken);

    // A column that this program does not know is one that it does not fill, and a rule that it does not keep.
    private async Task RefuseUnknownAsync(CancellationToken cancellationToken)
    {
        HashSet<string> known = new(Database.GetMigrations(), StringComparer.Ordinal);
        if ((await Database.GetAppliedMigrationsAsync(cancellationToken)).FirstOrDefault(applied => !known.Contains(applied)) is { } unknown)
        {
            throw new DataFolderException($"{Place} has been changed by a newer version of this program ({unknown}), which this one does not know. Use that version or a newer one, or restore a backup of before.");
        }
    }

    /// <summary>Keeps other processes away, looks again and migrates.</summary>
    protected abstract Task MigrateAloneAsync(CancellationToken cancellationToken);

    protected async Task<bool> HasPendingMigrationsAsync(CancellationToken cancellationToken) =>
        (await Database.GetPendingMigrationsAsync(cancellationToken)).Any();

    /// <summary>What is appended to the history can be found from the same transaction on.</summary>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        EventEntity[] events = [.. Added<EventEntity>()];
        AuditEntity[] audit = [.. Added<AuditEntity>()];
        if (events.Length + audit.Length == 0)
        {
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        }

        await using IDbContextTransaction? own = Database.CurrentTransaction is null ? await Database.BeginTransactionAsync(cancellationToken) : null;
        int saved = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        await HistorySearch.Of(this).AddAsync(this, events, audit, cancellationToken);
        if (own is not null)
        {
            await own.CommitAsync(CancellationToken.None);
        }

        return saved;
    }

    private IEnumerable<T> Added<T>()
        where T : class => ChangeTracker.Entries<T>().Where(e => e.State == EntityState.Added).Select(e => e.Entity);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        AccountModel.Configure(modelBuilder);
        AlertTables.Configure(modelBuilder);
        ProbeModel.Configure(modelBuilder);
        modelBuilder.Entity<NodeEntity>(e =>
        {
            e.ToTable("Nodes");
            e.HasKey(n => n.Name);
        });
        modelBuilder.Entity<PairEntity>(e =>
        {
            e.ToTable("Pairs");
            e.HasKey(p => p.Id);
            e.HasIndex(p => p.Name).IsUnique();
            e.HasMany(p => p.Members).WithOne().HasForeignKey(m => m.PairId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<PairMemberEntity>(e =>
        {
            e.ToTable("PairMembers");
            e.HasKey(m => m.Node);
        });
        modelBuilder.Entity<IntentEntity>(e =>
        {
            e.ToTable("Intents");
            e.HasKey(i => new { i.Node, i.Revision });
            e.Property(i => i.Stage).HasConversion<string>();
            e.HasIndex(i => i.OperationId);
        });
        modelBuilder.Entity<OperationEntity>(e =>
        {
            e.ToTable("Operations");
            e.HasKey(o => o.Id);
            e.HasIndex(o => o.Number).IsUnique();
            e.HasIndex(o => new { o.PairId, o.Number });
            e.HasIndex(o => o.Status);
            e.Property(o => o.Type).HasConversion<string>();
            e.Property(o => o.Status).HasConversion<string>();
        });
        modelBuilder.Entity<FreezeEntity>(e =>
        {
            e.ToTable("Freezes");
            e.HasKey(f => f.Scope);
        });
        modelBuilder.Entity<HeldFailbackEntity>(e =>
        {
            e.ToTable("HeldFailbacks");
            e.HasKey(h => h.Node);
        });
        modelBuilder.Entity<EventEntity>(e =>
        {
            e.ToTable("Events");
            e.HasKey(x => x.Id);
            e.HasIndex(x => new { x.Pair, x.Id });
            e.HasIndex(x => new { x.Node, x.Id });
            e.HasIndex(x => x.OperationId);
            e.HasIndex(x => x.AtMs);
            e.HasIndex(x => new { x.Node, x.BootId, x.JournalSequence }).IsUnique().HasFilter("\"JournalSequence\" IS NOT NULL");
        });
        modelBuilder.Entity<AuditEntity>(e =>
        {
            e.ToTable("Audit");
            e.HasKey(a => a.Id);
            e.Property(a => a.Id).ValueGeneratedNever();
            e.HasIndex(a => a.CorrelationId);
            e.HasIndex(a => a.AtMs);
        });
        modelBuilder.Entity<AuditCheckpointEntity>(e =>
        {
            e.ToTable("AuditCheckpoints");
            e.HasKey(c => c.Id);
            e.HasIndex(c => c.EntryId);
        });
        modelBuilder.Entity<JournalPositionEntity>(e =>
        {
            e.ToTable("JournalPositions");
            e.HasKey(j => new { j.Node, j.BootId });
        });
        modelBuilder.Entity<ApiTokenEntity>(e =>
        {
            e.ToTable("ApiTokens");
            e.HasKey(t => t.Id);
            e.HasIndex(t => t.Hash).IsUnique();
            e.HasIndex(t => t.Name).IsUnique().HasFilter("\"RevokedAtMs\" IS NULL");
        });
        modelBuilder.Entity<SignInCodeEntity>(e =>
        {
            e.ToTable("SignInCodes");
            e.HasKey(c => c.Hash);
            e.Property(c => c.UsedAtMs).IsConcurrencyToken();
        });
        modelBuilder.Entity<SessionEntity>(e =>
        {
            e.ToTable("Sessions");
            e.HasKey(s => s.Id);
            e.HasIndex(s => s.UserId);
        });
        modelBuilder.Entity<RequestKeyEntity>(e =>
        {
            e.ToTable("RequestKeys");
            e.HasKey(k => new { k.Caller, k.Key });
            e.HasIndex(k => k.AtMs);
        });
        modelBuilder.Entity<NodeIdentityEntity>(e =>
        {
            e.ToTable("NodeIdentities");
            e.HasKey(n => n.NodeId);
            e.HasIndex(n => n.NameKey).IsUnique().HasFilter("\"RemovedAtMs\" IS NULL");
        });
        modelBuilder.Entity<NodeCertificateEntity>(e =>
        {
            e.ToTable("NodeCertificates");
            e.HasKey(c => c.Serial);
            e.HasIndex(c => new { c.NodeId, c.IssuedAtMs });
        });
        modelBuilder.Entity<JoinTokenEntity>(e =>
        {
            e.ToTable("JoinTokens");
            e.HasKey(t => t.Id);
            e.HasIndex(t => t.Hash).IsUnique();
            e.Property(t => t.UsedAtMs).IsConcurrencyToken();
        });
        modelBuilder.Entity<SettingEntity>(e =>
        {
            e.ToTable("Settings");
            e.HasKey(s => s.Key);
        });
    }
}
